// The package in Node.js: `node node.mjs photo.jpg` prints the three most likely labels.

import { load } from "dermake";

const model = await load(process.env.MODEL ?? "models/demo");
for (const { label, probability } of await model.classify(process.argv[2], { topK: 3 })) {
  console.log(`${(100 * probability).toFixed(1)} % ${label}`);
}
