// Server-sent events. A connection is given up while the tab is hidden (browsers allow six per site, and a tab in the
// background needs none) and opened again, after the last line it got, when the tab is looked at.

const RETRY_MS = 2000;

/// Listens until `signal` aborts. `path(last)` is the address, given the id of the last event seen; `on` maps event names to
/// functions of (data, id); `state(up)` is told when the connection comes or goes.
/// Returns a function that connects anew and forgets the last event's id.
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
      if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
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

  const look = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", look);
  signal.addEventListener("abort", () => {
    document.removeEventListener("visibilitychange", look);
    close();
  });
  open();
  return () => { close(); last = null; open(); };
}
