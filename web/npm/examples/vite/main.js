import { load } from "dermake";

const model = await load("models/demo/");
document.querySelector("input").addEventListener("change", async ({ target }) => {
  const answers = await model.classify(target.files[0], { labels: ["nevus", "melanoma"] });
  document.querySelector("ol").replaceChildren(
    ...answers.map(({ label, probability }) => {
      const row = document.createElement("li");
      row.textContent = `${label}: ${(100 * probability).toFixed(1)} %`;
      return row;
    }),
  );
});
document.documentElement.dataset.ready = model.engine;
