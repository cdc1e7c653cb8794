/** Draws an SVG: a bar for each median, in ascending order, with a line from its minimum to its maximum. */

const ROW = 26;
const LEFT = 252;
const BAR = 430;
const TOP = 48;
const TITLE = 'One photo through ViT-B/16 in the browser: median, minimum and maximum';

export function picture({ machine, rows }) {
  const sorted = [...rows].sort((a, b) => a.median_ms - b.median_ms);
  const most = Math.max(...sorted.map((row) => row.max_ms));
  const x = (millis) => Math.round(LEFT + (BAR * millis) / most);
  const bar = (row, index) => {
    const y = TOP + ROW * index;
    const middle = y + ROW / 2 - 4;
    const name = `${row.engine} ${row.form}, ${row.threads} thread${row.threads > 1 ? 's' : ''}`;
    const color = row.engine === 'dermake' ? '#0f766e' : '#94a3b8';
    return [
      `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${escape(name)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${x(row.median_ms) - LEFT}" height="${ROW - 8}" rx="2" fill="${color}"/>`,
      `<path d="M${x(row.min_ms)} ${middle}H${x(row.max_ms)}" stroke="#0f172a"/>`,
      `<text x="${x(row.max_ms) + 8}" y="${middle + 4}">${Math.round(row.median_ms)} ms</text>`,
    ];
  };
  const [width, height] = [LEFT + BAR + 80, TOP + ROW * sorted.length + 8];
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.browser}, ${rows[0].n} runs each`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" fill="#0f172a"`,
    '  font-family="system-ui, sans-serif" font-size="13">',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="20" font-size="15" font-weight="600">${TITLE}</text>`,
    `<text x="12" y="38" fill="#475569">${escape(where)}</text>`,
    ...sorted.flatMap(bar),
    '</svg>',
    '',
  ].join('\n');
}

function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
