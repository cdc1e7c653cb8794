export default {
  base: "./",
  optimizeDeps: { exclude: ["dermake"] }, // else the development server looks for the worker in its cache
};
