// Operations on the page: looked at every few seconds, more seldom while another tab is shown; the System tab's mark.
import { operations } from './relay.js';
import { mark } from './shell.js';
import { emit, on, state } from './stream.js';

const NEAR_MS = 4000;
const FAR_MS = 15000;
const RANK = ['info', 'warning', 'critical'];

let timer = 0;

export function watchOperations() {
  on('tab', (tab) => tab === 'system' && look());
  document.addEventListener('visibilitychange', () => document.hidden || look());
  look();
}

// What a person does there answers with the new overview.
export async function actOn(what, body) {
  take(await operations.act(what, body));
}

async function look() {
  clearTimeout(timer);
  try {
    if (!document.hidden) take(await operations.look());
  } catch (error) {
    emit('operations-lost', error);
  }
  clearTimeout(timer);
  timer = setTimeout(look, state.tab === 'system' ? NEAR_MS : FAR_MS);
}

function take(overview) {
  state.operations = overview;
  emit('operations', overview);
  const unseen = overview.alerts.filter(({ acknowledged }) => !acknowledged);
  const worst = RANK[Math.max(...unseen.map(({ severity }) => RANK.indexOf(severity)))] ?? '';
  mark('system', unseen.length, worst, `${unseen.length} not acknowledged`);
}
