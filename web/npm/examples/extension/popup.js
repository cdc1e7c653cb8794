import { load } from "./node_modules/dermake/index.js";

const status = document.querySelector("[role=status]");
const model = await load("models/demo/");
status.textContent = `${model.name} is ready`;
document.querySelector("input").addEventListener("change", async ({ target }) => {
  const answers = await model.classify(target.files[0], { topK: 3 });
  const text = ({ label, probability }) => `${label}: ${(100 * probability).toFixed(1)} %`;
  const row = (answer) => Object.assign(document.createElement("li"), { textContent: text(answer) });
  document.querySelector("ol").replaceChildren(...answers.map(row));
});
