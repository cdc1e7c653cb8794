import { load } from "dermake";

const [input, list, status] = ["input", "ol", "[role=status]"].map((selector) => document.querySelector(selector));

async function start() {
  const model = await load("models/demo/");
  input.addEventListener("change", async () => {
    const answers = await model.classify(input.files[0], { labels: ["nevus", "melanoma"] });
    const text = ({ label, probability }) => `${label}: ${(100 * probability).toFixed(1)} %`;
    list.replaceChildren(...answers.map((answer) => Object.assign(document.createElement("li"), { textContent: text(answer) })));
  });
  input.disabled = false;
  status.textContent = `${model.name} is ready`;
}

start().catch((error) => (status.textContent = error.message));
