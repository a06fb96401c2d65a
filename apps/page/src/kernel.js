// Widgets of the page's kernel: a manager over the official packages, without a front end around it.
import * as base from '@jupyter-widgets/base';
import * as controls from '@jupyter-widgets/controls';
import * as output from '@jupyter-widgets/output';
import { ManagerBase } from '@jupyter-widgets/base-manager';
import { KernelConnection, ServerConnection } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';
import { xsrf } from './relay.js';
import { reloadSoon } from './reload.js';
import { on, setLink, state } from './stream.js';
import '@jupyter-widgets/base/css/index.css';
import '@jupyter-widgets/controls/css/widgets-base.css';

const MODULES = { '@jupyter-widgets/base': base, '@jupyter-widgets/controls': controls, '@jupyter-widgets/output': output };
const COMM = 'jupyter.widget';
const LOOK_MS = 3000;
const ANSWER_MS = 2000;

// anywidget's package is AMD: take its factory, and give it the base module.
globalThis.define = (_needs, factory) => { MODULES.anywidget = factory(base); };
globalThis.define.amd = true;
const anywidget = import('anywidget');

class Manager extends ManagerBase {
  constructor(kernel) {
    super();
    this.kernel = kernel;
    kernel.registerCommTarget(this.comm_target_name, (comm, message) => this.handle_comm_open(new base.shims.services.Comm(comm), message));
  }

  async loadClass(className, moduleName) {
    await anywidget;
    const module = MODULES[moduleName];
    if (!module?.[className]) throw new Error(`The page has no widget ${moduleName}.${className}`);
    return module[className];
  }

  async _create_comm(target, id, data, metadata, buffers) {
    const comm = this.kernel.createComm(target, id);
    if (data || metadata) comm.open(data, metadata, buffers);
    return new base.shims.services.Comm(comm);
  }

  async _get_comm_info() {
    return (await this.kernel.requestCommInfo({ target_name: COMM })).content.comms;
  }

  load() {
    return this._loadFromKernel();
  }
}

export async function showWidgets(boot, places) {
  const url = `${location.origin}/`;
  const serverSettings = ServerConnection.makeSettings({ baseUrl: url, wsUrl: url.replace(/^http/, 'ws'), appendToken: false });
  const kernel = new KernelConnection({ model: { id: boot.kernelId, name: 'python3' }, serverSettings });
  kernel.commsOverSubshells = 'disabled';
  addEventListener('pagehide', () => {
    navigator.sendBeacon(`/voila/api/shutdown/${boot.kernelId}?_xsrf=${xsrf()}`);
  });
  watch(kernel);
  const manager = new Manager(kernel);
  await manager.load();
  for (const [id, place] of places) {
    const model = await manager.get_model(id);
    const view = await manager.create_view(model);
    Widget.attach(view.luminoWidget ?? view.pWidget, place);
  }
  setLink({ kernel: 'up' });
}

// ---- whether it is still there, and answers

// A reconnecting kernel drops what it was asked before; the packages leave that promise to nobody.
addEventListener('unhandledrejection', (event) => {
  if (String(event.reason?.message).startsWith('Canceled future')) event.preventDefault();
});

function watch(kernel) {
  let asked = null;
  const gone = () => {
    setLink({ kernel: 'down' });
    reloadSoon();
  };
  const look = async () => {
    if (state.link.server !== 'up' || state.link.kernel === 'down') return;
    if ((await fetch(`/api/kernels/${kernel.id}`, { cache: 'no-store' })).status === 404) {
      gone();
      return;
    }
    if (kernel.connectionStatus === 'disconnected') kernel.reconnect().catch(() => {});
    asked ??= kernel.requestKernelInfo().then(() => {
      asked = null;
      if (state.link.kernel !== 'down') setLink({ kernel: 'up' });
    }, () => { asked = null; });
    const waited = asked;
    await Promise.race([waited, new Promise((resolve) => { setTimeout(resolve, ANSWER_MS); })]);
    if (asked === waited && state.link.kernel === 'up') setLink({ kernel: 'silent' });
  };
  kernel.statusChanged.connect((_, status) => {
    if (['dead', 'autorestarting', 'restarting'].includes(status)) gone();
  });
  let server = 'up';
  on('link', (link) => {
    if (link.server === 'up' && server !== 'up') look().catch(() => {});
    server = link.server;
  });
  setInterval(() => look().catch(() => {}), LOOK_MS);
}
