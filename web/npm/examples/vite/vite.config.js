export default {
  base: "./",
  build: { target: "es2022" }, // with `await` outside of functions
  optimizeDeps: { exclude: ["dermake"] }, // else the development server looks for the worker in its cache
};
