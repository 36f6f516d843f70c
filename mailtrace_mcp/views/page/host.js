// The page as an MCP App (SEP-1865, 2026-01-26): JSON-RPC with the host that shows it, by postMessage.

const PROTOCOL = "2026-01-26";

/** The conversation with the host. `onResult`, `onWaiting` are told what comes. */
class Host {
  constructor(onResult, onWaiting) {
    this.asked = new Map();
    this.lastId = 0;
    this.handlers = new Map([
      ["ui/notifications/tool-input", () => onWaiting("Tracing …")],
      ["ui/notifications/tool-result", (result) => onResult(result)],
      ["ui/notifications/tool-cancelled", () => onWaiting("The trace was cancelled.")],
      ["ui/notifications/host-context-changed", (context) => applyContext(context)],
    ]);
    addEventListener("message", (event) => {
      if (event.source === parent) this.heard(event.data);
    });
  }

  /** Introduce the page, take over the host's colours, and tell of the page's size from then on. */
  async begin() {
    const told = await this.request("ui/initialize", {
      appInfo: { name: "mailtrace-delivery-graph", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
      protocolVersion: PROTOCOL,
    });
    this.readsResources = Boolean(told?.hostCapabilities?.serverResources);
    applyContext(told?.hostContext);
    this.notify("ui/notifications/initialized", {});
    new ResizeObserver(() => this.tellSize()).observe(document.body);
  }

  tellSize() {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (height === this.height) return;
    this.height = height;
    this.notify("ui/notifications/size-changed", { width: innerWidth, height });
  }

  /** The cleaned log lines of a hop, as the server's resource has them. */
  async lines(hop) {
    const uri = `mailtrace://mail/${encodeURIComponent(hop.host)}/${encodeURIComponent(hop.queue_id)}`;
    const told = await this.request("resources/read", { uri });
    return told.contents.flatMap((one) => (one.text ?? "").split("\n"));
  }

  heard(message) {
    if (message?.jsonrpc !== "2.0") return;
    if (message.method === undefined) {
      this.answered(message);
    } else if (message.id !== undefined) {
      const known = message.method === "ping" || message.method === "ui/resource-teardown";
      const error = { code: -32601, message: "Method not found" };
      this.send(known ? { id: message.id, result: {} } : { id: message.id, error });
    } else {
      this.handlers.get(message.method)?.(message.params ?? {});
    }
  }

  answered({ id, result, error }) {
    const waiting = this.asked.get(id);
    this.asked.delete(id);
    if (error) waiting?.refuse(new Error(String(error.message ?? "The host refused.")));
    else waiting?.accept(result);
  }

  request(method, params) {
    return new Promise((accept, refuse) => {
      this.lastId += 1;
      this.asked.set(this.lastId, { accept, refuse });
      this.send({ id: this.lastId, method, params });
    });
  }

  notify(method, params) {
    this.send({ method, params });
  }

  send(message) {
    // The host's origin cannot be known here; what is sent holds nothing that it has not.
    parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }
}

/** The host's theme, and its colours where it gives both the text's and the ground's. */
function applyContext(context) {
  const root = document.documentElement;
  if (context?.theme === "dark" || context?.theme === "light") root.dataset.theme = context.theme;
  const given = context?.styles?.variables ?? {};
  if (!given["--color-text-primary"] || !given["--color-background-primary"]) return;
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("--color-") && typeof value === "string") root.style.setProperty(name, value);
  }
}
