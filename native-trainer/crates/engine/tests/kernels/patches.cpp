// Patches, tokens and the gradients of positions and class embedding, against f64.
#include "../../kernels/patches.cuh"
#include "outputs.h"

const std::vector<float> MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
const std::vector<float> DEVIATION = {0.26862954f, 0.26130258f, 0.27577711f};

struct Pictures {
  int images, size, patch_size;
  unsigned grid() const { return unsigned(images * (size / patch_size)); }
  size_t n_values() const { return size_t(images) * 3 * size * size; }
  size_t n_patch_values() const { return size_t(grid()) * (size / patch_size) * 3 * patch_size * patch_size; }
};

// f(image, channel, y, x) for each value of the patches, in their order.
template <typename F> std::vector<double> in_patch_order(const Pictures& p, F f) {
  std::vector<double> result;
  const int side = p.size / p.patch_size;
  for (int image = 0; image < p.images; image++) {
    for (int patch = 0; patch < side * side; patch++) {
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < p.patch_size; y++) {
          for (int x = 0; x < p.patch_size; x++) {
            result.push_back(f(image, channel, patch / side * p.patch_size + y, patch % side * p.patch_size + x));
          }
        }
      }
    }
  }
  return result;
}

template <typename T> void check_patches(const Pictures& p) {
  const std::string name =
      std::string("patches ") + TYPE_NAME<T> + " " + std::to_string(p.size) + " / " + std::to_string(p.patch_size);
  Random engine(1);
  std::vector<unsigned char> pixels(p.n_values());
  for (auto& pixel : pixels) pixel = static_cast<unsigned char>(engine());
  const auto values = random_values<float>(p.n_values(), 2);
  const auto at = [&](int image, int channel, int y, int x) {
    return ((size_t(image) * 3 + channel) * p.size + y) * p.size + x;
  };

  const auto from_pixels = run_in_every_order(name, [&] {
    Output<T> patches(p.n_patch_values());
    launch(p.grid(), PATCH_THREADS, 0, [&] {
      KERNEL_OF(T, patches_forward)(pixels.data(), MEAN.data(), DEVIATION.data(), patches.data(), p.size, p.patch_size);
    });
    return patches.finished();
  });
  expect_near(from_pixels,
              in_patch_order(p,
                             [&](int image, int channel, int y, int x) {
                               return (pixels[at(image, channel, y, x)] / 255.0 - MEAN[channel]) / DEVIATION[channel];
                             }),
              name + " of pixels");

  const auto from_values = run_in_every_order(name, [&] {
    Output<T> patches(p.n_patch_values());
    launch(p.grid(), PATCH_THREADS, 0, [&] {
      KERNEL_OF(T, patches_from_values)(values.data(), patches.data(), p.size, p.patch_size);
    });
    return patches.finished();
  });
  expect_near(
      from_values,
      in_patch_order(p, [&](int image, int channel, int y, int x) { return double(values[at(image, channel, y, x)]); }),
      name + " of pixel values");
}

struct Tokens {
  int images, patches, width;
  int tokens() const { return patches + 1; }
  size_t n_values() const { return size_t(images) * tokens() * width; }
  size_t n_patch_values() const { return size_t(images) * patches * width; }
};

template <typename T> void check_forward(const Tokens& t, const std::string& name) {
  const auto embeddings = random_values<T>(t.n_patch_values(), 1), class_embedding = random_values<T>(t.width, 2);
  const auto positions = random_values<T>(size_t(t.tokens()) * t.width, 3);
  std::vector<double> expected;
  for (int image = 0; image < t.images; image++) {
    for (int token = 0; token < t.tokens(); token++) {
      for (int c = 0; c < t.width; c++) {
        const size_t patch = size_t(image) * t.patches + token - 1;
        const T embedding = token == 0 ? class_embedding[c] : embeddings[patch * t.width + c];
        expected.push_back(double(to_float(embedding)) + to_float(positions[size_t(token) * t.width + c]));
      }
    }
  }
  const auto x = run_in_every_order(name, [&] {
    Output<T> x(t.n_values());
    launch(blocks(int64_t(t.images) * t.tokens(), ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
      KERNEL_OF(T, assemble_tokens_forward)
      (embeddings.data(), class_embedding.data(), positions.data(), x.data(), t.images, t.patches, t.width);
    });
    return x.finished();
  });
  expect_near(x, expected, name);
}

template <typename T> std::vector<T> patch_gradients(const std::vector<T>& dx, const Tokens& t) {
  Output<T> gradients(t.n_patch_values());
  launch(blocks(int64_t(t.images) * t.patches, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
    KERNEL_OF(T, assemble_tokens_backward)(dx.data(), gradients.data(), t.images, t.patches, t.width);
  });
  return gradients.finished();
}

// Adds the gradients of positions and class embedding to ones; the second after the first.
template <typename T> std::vector<float> parameter_gradients(const std::vector<T>& dx, const Tokens& t) {
  const int n_parts = blocks(t.images, COLUMN_SUM_ROWS);
  const int64_t values = int64_t(t.tokens()) * t.width;
  Output<float> partial(n_parts * values), positions(std::vector<float>(values, 1));
  Output<float> class_embedding(std::vector<float>(t.width, 1));
  launch(dim3(n_parts, blocks(values, COLUMN_SUM_COLUMNS)), COLUMN_SUM_THREADS, 0, [&] {
    KERNEL_OF(T, column_sums)(dx.data(), partial.data(), t.images, values);
  });
  launch(blocks(values, FINISH_COLUMNS), FINISH_THREADS, 0, [&] {
    assemble_tokens_finish(partial.data(), positions.data(), class_embedding.data(), n_parts, t.patches, t.width);
  });
  std::vector<float> result = positions.finished();
  for (float value : class_embedding.finished()) result.push_back(value);
  return result;
}

template <typename T> void check_backward(const Tokens& t, const std::string& name) {
  const auto dx = random_values<T>(t.n_values(), 4);
  const size_t n_positions = size_t(t.tokens()) * t.width;
  std::vector<T> expected_patches;
  std::vector<double> expected(n_positions + t.width, 1);
  for (size_t i = 0; i < dx.size(); i++) {
    const size_t in_image = i % n_positions;
    expected[in_image] += to_float(dx[i]);
    if (in_image < size_t(t.width)) {
      expected[n_positions + in_image] += to_float(dx[i]);
    } else {
      expected_patches.push_back(dx[i]);
    }
  }
  const auto patches = run_in_every_order(name, [&] { return patch_gradients(dx, t); });
  expect(same_bits(patches, expected_patches), name + ": other gradients of patches");
  const auto gradients = run_in_every_order(name, [&] { return parameter_gradients(dx, t); });
  expect_close(gradients, expected, F32_LIMIT, name + " gradients of positions and class embedding");
}

template <typename T> void check_tokens(const Tokens& t) {
  const std::string name = std::string("tokens ") + TYPE_NAME<T> + " " + std::to_string(t.images) + " x " +
      std::to_string(t.tokens()) + " x " + std::to_string(t.width);
  check_forward<T>(t, name);
  check_backward<T>(t, name);
}

int main() {
  for (const Pictures& p : {Pictures{2, 32, 16}, {1, 64, 32}, {3, 30, 8}, {2, 29, 14}, {1, 8, 4}, {1, 100, 16}}) {
    for_each_type([&](auto type) { check_patches<decltype(type)>(p); });
  }
  for (const Tokens& t : {Tokens{1, 1, 16}, {3, 4, 17}, {2, 9, 768}, {1, 196, 64}, {300, 4, 24}, {2, 3, 1000}}) {
    for_each_type([&](auto type) { check_tokens<decltype(type)>(t); });
  }
  return finish();
}
