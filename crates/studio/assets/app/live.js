// Server-sent events. The connection is closed while the tab is hidden (browsers allow six per site) and reopened, after the last
// line received, when the tab is visible again.

const RETRY_MS = 2000;

/// Listens until `signal` aborts. `path(last)` is the address, given the id of the last event received; `on` maps event names to
/// functions of (data, id); `state(up)` is called when the connection opens or breaks.
/// Returns a function that reconnects from the beginning.
export function listen({ path, on, signal, state }) {
  let source = null;
  let last = null;
  let retry = null;

  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };

  const open = () => {
    if (source || signal.aborted || document.hidden) return;
    source = new EventSource(`/api${path(last)}`);
    source.onopen = () => state?.(true);
    source.onerror = () => {
      state?.(false);
      if (source?.readyState !== EventSource.CLOSED) return; // the browser reconnects
      close();
      retry = setTimeout(open, RETRY_MS);
    };
    for (const [name, act] of Object.entries(on)) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        act(JSON.parse(event.data), event.lastEventId);
      });
    }
  };

  const change = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", change);
  signal.addEventListener("abort", () => {
    document.removeEventListener("visibilitychange", change);
    close();
  });
  open();
  return () => {
    close();
    last = null;
    open();
  };
}
