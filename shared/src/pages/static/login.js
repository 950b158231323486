'use strict';

// What the plain forms do, without a reload: a form is sent by fetch, the answer is followed on our own origin, and the <main> that comes
// takes the place of the one that is there. Whatever can't be done so is left to the browser.

(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const digitsOf = (text) => text.normalize('NFKC').replace(/\D/g, '');

  let sending = false;
  let timer = 0;
  let waiting = null;
  let following = 0;

  // ---- From one step to the next

  async function go(address, options) {
    if (sending) return;
    sending = true;
    stopWaiting();
    const main = find('main');
    main.setAttribute('aria-busy', 'true');
    announce(document.body.dataset.working);
    try {
      const headers = { 'x-page': '1', accept: 'text/html' };
      const answer = await fetch(address, { ...options, headers, credentials: 'same-origin' });
      const type = answer.headers.get('content-type') || '';
      if (type.startsWith('application/json')) {
        location.assign((await answer.json()).location);
        return;
      }
      if (!type.startsWith('text/html')) throw new Error(`an answer of ${type}`);
      show(await answer.text(), new URL(answer.url));
    } catch {
      offline();
    }
    sending = false;
    announce('');
  }

  function show(html, address) {
    const page = new DOMParser().parseFromString(html, 'text/html');
    const [before, after] = [find('main'), find('main', page)];
    if (!after) throw new Error('no page');
    // A field whose value was refused keeps it.
    for (const field of all('[data-keep]', after)) {
      const old = document.getElementById(field.id);
      if (!old) continue;
      if (field.type === 'checkbox') field.checked = old.checked;
      else if (old.value && (field.tagName !== 'SELECT' || has(field, old.value))) field.value = old.value;
    }
    const fresh = document.importNode(after, true);
    all('[data-keep]', after).forEach((field, i) => {
      const copy = all('[data-keep]', fresh)[i];
      if (field.type === 'checkbox') copy.checked = field.checked;
      else copy.value = field.value;
    });
    before.replaceWith(fresh);
    find('footer')?.remove();
    if (find('footer', page)) document.body.append(document.importNode(find('footer', page), true));
    document.title = page.title;
    document.documentElement.lang = page.documentElement.lang;
    document.documentElement.dir = page.documentElement.dir;
    if (address.origin === location.origin) history.replaceState(null, '', address.pathname + address.search);
    start();
    focus();
  }

  const has = (select, value) => [...select.options].some((option) => option.value === value);

  /// To the field that was refused, or the first one, or to the heading where there is nothing to fill in.
  function focus() {
    const title = find('#title');
    title.tabIndex = -1;
    const field = find('main [aria-invalid]:not([data-keep])') || find('main [aria-invalid]') || find('main [autofocus]');
    (field || title).focus();
    if (field && field.select && field.type !== 'tel') field.select();
    scrollTo(0, 0);
  }

  function offline() {
    find('#notice')?.remove();
    find('main').removeAttribute('aria-busy');
    const { offline: says, offlineNext: next } = document.body.dataset;
    const notice = document.createElement('div');
    notice.id = 'notice';
    notice.className = 'notice refused';
    notice.setAttribute('role', 'alert');
    const text = document.createElement('p');
    const strong = document.createElement('strong');
    strong.textContent = says;
    text.append(strong, ` ${next}`);
    notice.append(text);
    find('main form:not(.back)').before(notice);
  }

  document.addEventListener('submit', (event) => {
    event.preventDefault();
    const form = event.target;
    const body = new URLSearchParams(new FormData(form));
    go(form.action, { method: 'POST', body });
  });

  document.addEventListener('click', (event) => {
    const link = event.target.closest('main a, footer a');
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || !sameLogin(link)) return;
    event.preventDefault();
    go(link.href, {});
  });

  const sameLogin = (link) => link.origin === location.origin && link.pathname === location.pathname;

  // A page that the browser kept may show a step that is over.
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });

  // ---- Clocks. The page's times are the service's, and so is `data-now`: what counts is how long it has been here.

  function announce(text) {
    find('#announce').textContent = text;
  }

  function start() {
    clearInterval(timer);
    const arrived = performance.now();
    const now = Number(find('main').dataset.now);
    const tick = () => clocks(now + performance.now() - arrived);
    for (const hidden of all('main [data-script], main [data-reveal]')) hidden.hidden = false;
    prefix();
    tick();
    timer = setInterval(tick, 500);
    waitForMessage();
    follow();
  }

  function clocks(now) {
    for (const clock of all('main [data-until]')) {
      const left = Math.ceil((Number(clock.dataset.until) - now) / 1000);
      const { text, over } = clock.dataset;
      const says = left > 0 ? text.replace('{time}', `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`) : over;
      if (clock.textContent === says) continue;
      const ended = left <= 0 && clock.textContent !== over;
      clock.textContent = says;
      if (ended && 'announce' in clock.dataset) announce(over);
    }
    for (const button of all('main [data-wait]')) button.disabled = Number(button.dataset.wait) > now;
    const end = find('main [data-reload-at]');
    if (end && Number(end.dataset.reloadAt) <= now) {
      end.remove();
      go(location.href, {});
    }
  }

  // ---- The code

  function code(field) {
    const length = Number(field.dataset.length);
    const digits = digitsOf(field.value).slice(0, length);
    if (digits !== field.value) field.value = digits;
    const whole = digits.length === length;
    // Once for each code: what was refused isn't sent again by itself.
    if (whole && field.dataset.sent !== digits) {
      field.dataset.sent = digits;
      field.form.requestSubmit();
    }
  }

  // WebOTP: the browser reads the message whose last line names this page's host.
  function waitForMessage() {
    const field = find('#code');
    if (!field || !('OTPCredential' in window)) return;
    waiting = new AbortController();
    navigator.credentials
      .get({ otp: { transport: ['sms'] }, signal: waiting.signal })
      .then((message) => {
        if (!message || !field.isConnected) return;
        field.value = message.code;
        code(field);
      })
      .catch(() => {});
  }

  function stopWaiting() {
    waiting?.abort();
    waiting = null;
  }

  // ---- The QR code: the page looks how far the other device is, and goes on by itself.

  function follow() {
    clearTimeout(following);
    const panel = find('main [data-follow]');
    if (!panel) return;
    const later = () => (following = setTimeout(look, 1500));
    const look = async () => {
      if (!panel.isConnected) return;
      if (sending || document.hidden) return void later();
      let status = 'pending';
      try {
        const answer = await fetch(panel.dataset.follow, { headers: { accept: 'application/json' }, credentials: 'same-origin' });
        if (answer.ok) ({ status } = await answer.json());
      } catch {
        // The next look may get through.
      }
      if (!panel.isConnected) return;
      if (status === 'pending' || status === 'scanned') {
        if (status === 'scanned') tell(find('#qr-state'), panel.dataset.scanned);
        later();
      } else {
        find('[data-go]', panel).requestSubmit();
      }
    };
    later();
  }

  function tell(place, text) {
    if (place.textContent === text) return;
    place.textContent = text;
    announce(text);
  }

  // ---- The number, grouped as its country writes it

  const GROUPS = { 1: [3, 3, 4], 7: [3, 3, 2, 2], 33: [1, 2, 2, 2, 2], 44: [4, 3, 3], 49: [3, 4, 4], 61: [3, 3, 3], 81: [2, 4, 4], 82: [2, 4, 4], 86: [3, 4, 4], 91: [5, 5] };
  /// Where a number is written with a 0 in front of it at home, that belongs to the first group.
  const TRUNK = { 33: 1, 44: 1, 49: 1, 61: 1, 81: 1, 82: 1 };

  function calling() {
    const select = find('#country');
    return select ? select.selectedOptions[0]?.dataset.calling : find('#calling')?.dataset.calling;
  }

  function prefix() {
    const [shown, select] = [find('#calling'), find('#country')];
    if (!shown || !select) return;
    shown.textContent = `+${calling()}`;
    shown.hidden = false;
  }

  function grouped(text) {
    const international = text.startsWith('+');
    const digits = digitsOf(text);
    if (international) return digits ? `+${spaced(digits, [])}` : '+';
    const code = calling();
    const groups = [...(GROUPS[code] || [])];
    if (digits.startsWith('0') && TRUNK[code]) groups[0] += 1;
    if (code === '1' && digits.startsWith('1')) groups.unshift(1);
    return spaced(digits, groups);
  }

  function spaced(digits, groups) {
    const parts = [];
    let at = 0;
    for (let i = 0; at < digits.length; i += 1) {
      const size = groups[i] || 3;
      parts.push(digits.slice(at, at + size));
      at += size;
    }
    return parts.join(' ');
  }

  function number(field) {
    const text = field.value.normalize('NFKC').trimStart();
    const shown = grouped(text);
    if (shown === field.value) return;
    // The caret stays behind the digit that it was behind.
    let before = digitsOf(field.value.slice(0, field.selectionStart)).length + (shown.startsWith('+') ? 1 : 0);
    field.value = shown;
    let at = 0;
    while (before > 0 && at < shown.length) {
      if (shown[at] !== ' ') before -= 1;
      at += 1;
    }
    field.setSelectionRange(at, at);
  }

  // ---- What is typed and clicked

  document.addEventListener('input', (event) => {
    const field = event.target;
    if (event.isComposing) return;
    if (field.id === 'code') code(field);
    else if ('phone' in field.dataset) number(field);
  });

  document.addEventListener('compositionend', (event) => {
    if (event.target.id === 'code') code(event.target);
  });

  document.addEventListener('change', (event) => {
    if (event.target.id !== 'country') return;
    prefix();
    number(find('[data-phone]'));
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    const { reveal, copy } = button.dataset;
    if (reveal) revealed(button, document.getElementById(reveal));
    if (copy) copied(button, document.getElementById(copy));
    if ('print' in button.dataset) print();
  });

  function revealed(button, field) {
    const shown = field.type === 'text';
    const { show = button.textContent, showLabel = button.ariaLabel, hide, hideLabel } = button.dataset;
    Object.assign(button.dataset, { show, showLabel });
    field.type = shown ? 'password' : 'text';
    button.textContent = shown ? show : hide;
    button.setAttribute('aria-label', shown ? showLabel : hideLabel);
    button.setAttribute('aria-pressed', String(!shown));
  }

  async function copied(button, list) {
    const text = all('code', list).map((code) => code.textContent).join('\n');
    try {
      await navigator.clipboard.writeText(`${text}\n`);
      button.textContent = button.dataset.done;
      announce(button.dataset.done);
    } catch {
      getSelection().selectAllChildren(list);
    }
  }

  start();
})();
