// webpack 5 finds the worker's files by itself, and copies them beside the bundle.
export default {
  mode: "production",
  entry: "./main.js",
  performance: { hints: false }, // else it warns of the worker's programs, 4.8 MB each
};
