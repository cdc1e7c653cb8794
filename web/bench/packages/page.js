// What both pages of the bench of packages share: their labels, and the answer as the bench reads it.

const { labels } = Object.fromEntries(new URLSearchParams(location.search));

/** A key of a built-in set, or names. */
export const parameters = { labels: labels.includes(',') ? labels.split(',') : labels };

const output = document.querySelector('output');

export function show(answers) {
  output.dataset.answer = JSON.stringify(answers);
}

const fail = (error) => (output.dataset.error = error?.message ?? String(error));
addEventListener('error', (event) => fail(event.error ?? event.message));
addEventListener('unhandledrejection', (event) => fail(event.reason));
