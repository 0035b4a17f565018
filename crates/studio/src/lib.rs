//! The web studio and `faussaire serve`: HTTP in front of the library. It reads run folders and events, and trains nothing
//! by itself.
