import { load } from "dermake";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

/** The model in a folder, once it is loaded. It is disposed of with the component, also while it loads. */
function useModel(folder) {
  const [model, setModel] = useState();
  useEffect(() => {
    const leaving = new AbortController();
    const loading = load(folder, { signal: leaving.signal });
    loading.then(setModel, (error) => leaving.signal.aborted || console.error(error));
    return () => {
      leaving.abort();
      loading.then((model) => model.dispose(), () => {});
      setModel(undefined);
    };
  }, [folder]);
  return model;
}

function Classifier({ folder, labels }) {
  const model = useModel(folder);
  const [answers, setAnswers] = useState([]);
  const classify = async ({ target }) => setAnswers(await model.classify(target.files[0], { labels }));
  return (
    <>
      <p role="status">{model ? `${model.name} is ready` : "Loading the model"}</p>
      <input
        type="file"
        accept="image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff"
        disabled={!model}
        onChange={classify}
      />
      <ol>
        {answers.map(({ label, probability }) => (
          <li key={label}>{`${label}: ${(100 * probability).toFixed(1)} %`}</li>
        ))}
      </ol>
    </>
  );
}

const labels = ["nevus", "melanoma"];
createRoot(document.getElementById("root")).render(<Classifier folder="models/demo/" labels={labels} />);
