// Toasts and confirmations. All text is set as text, never as markup.
export function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

let shelf = null;

export function toast(text, level = 'info') {
  shelf ??= document.body.appendChild(Object.assign(element('div', 'toasts'), { ariaLive: 'polite' }));
  const made = shelf.appendChild(element('div', `toast ${level}`, text));
  setTimeout(() => made.remove(), level === 'info' ? 4000 : 9000);
}

export function confirm(text, { title = 'Please confirm', yes = 'Yes', danger = false } = {}) {
  const dialog = element('dialog', 'dialog');
  dialog.append(element('h2', '', title), element('p', '', text));
  const row = dialog.appendChild(element('div', 'dialog-actions'));
  const no = row.appendChild(element('button', 'btn', 'Cancel'));
  const agree = row.appendChild(element('button', `btn ${danger ? 'btn-danger' : 'btn-primary'}`, yes));
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    const close = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    no.onclick = () => close(false);
    agree.onclick = () => close(true);
    dialog.oncancel = () => close(false);
  });
}

export function legend(rows, title) {
  const dialog = element('dialog', 'dialog');
  dialog.append(element('h2', '', title));
  const list = dialog.appendChild(element('dl', 'keys'));
  for (const [key, does] of rows) list.append(element('dt', '', key), element('dd', '', does));
  const close = dialog.appendChild(element('button', 'btn', 'Close'));
  close.onclick = () => dialog.remove();
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}
