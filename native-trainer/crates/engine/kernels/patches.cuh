// From pictures to the vision tower's tokens, and back to the gradients of its embeddings.
//
// | kernel                     | grid                                                   | block | dynamic shared bytes |
// |----------------------------|--------------------------------------------------------|-------|----------------------|
// | patches_forward_*          | images * (size / patch_size, rounded down)             | 256   | 0                    |
// | patches_from_values_*      | images * (size / patch_size, rounded down)             | 256   | 0                    |
// | assemble_tokens_forward_*  | images * (patches + 1) / ROWS_PER_BLOCK, rounded up    | 256   | 0                    |
// | assemble_tokens_backward_* | images * patches / ROWS_PER_BLOCK, rounded up          | 256   | 0                    |
// | assemble_tokens_finish     | (patches + 1) * width / FINISH_COLUMNS, rounded up     | 512   | 0                    |
//
// The gradients of positions and class embedding are sums over images: `column_sums` over dx as a matrix
// [images, (patches + 1) * width] gives the partial sums, `assemble_tokens_finish` adds them to both gradients.
#pragma once
#include "reduction.cuh"

constexpr int PATCH_THREADS = 256;

// Writes the patches of one row of the grid: `N` neighboring pixels of a row a thread and step. Their values come
// after each other in `patches`, so the threads write consecutive addresses.
template <int N, typename P, typename T, typename F>
DEVICE void write_patch_row(const P* pixels, T* patches, int size, int patch_size, F normalize) {
  const int grid_size = size / patch_size;
  const int patch_values = 3 * patch_size * patch_size;
  const int64_t image = blockIdx.x / grid_size;
  const int top = int(blockIdx.x % grid_size) * patch_size;
  T* to = patches + int64_t(blockIdx.x) * grid_size * patch_values;
  for (int i = threadIdx.x * N; i < grid_size * patch_values; i += PATCH_THREADS * N) {
    const int patch = i / patch_values, in_patch = i % patch_values;
    const int line = in_patch / patch_size; // of all three channels
    const int channel = line / patch_size;
    const int y = top + line % patch_size, x = patch * patch_size + in_patch % patch_size;
    float values[N];
    load_values<N>(values, pixels + ((image * 3 + channel) * size + y) * size + x);
    UNROLL
    for (int j = 0; j < N; j++)
      values[j] = normalize(values[j], channel);
    store_values<N>(to + i, values);
  }
}

template <typename P, typename T, typename F>
DEVICE void write_patches(const P* pixels, T* patches, int size, int patch_size, F normalize) {
  // Vectors fit into the rows of the picture and of a patch; then those of `patches` do, too.
  if (patch_size % VECTOR == 0 && vectors_fit(size, pixels, patches)) {
    write_patch_row<VECTOR>(pixels, patches, size, patch_size, normalize);
  } else {
    write_patch_row<1>(pixels, patches, size, patch_size, normalize);
  }
}

// patches = (pixels / 255 - mean[channel]) / deviation[channel], each patch as a row in the order of a convolution's
// kernel: channel, row, column. Patches are in reading order; what remains right and below is left out.
//
// pixels u8 [images, 3, size, size], mean and deviation f32 [3],
// patches T [images * (size / patch_size)^2, 3 * patch_size^2]. Moves 3 bytes an element (bf16, f16) or 5.
template <typename T>
DEVICE void patches_forward(const unsigned char* pixels, const float* mean, const float* deviation, T* patches,
                            int size, int patch_size) {
  write_patches(pixels, patches, size, patch_size,
                [=](float value, int channel) { return (value / 255.0f - mean[channel]) / deviation[channel]; });
}

KERNEL void patches_forward_bf16(const unsigned char* pixels, const float* mean, const float* deviation, bf16* patches,
                                 int size, int patch_size) {
  patches_forward(pixels, mean, deviation, patches, size, patch_size);
}
KERNEL void patches_forward_f16(const unsigned char* pixels, const float* mean, const float* deviation, f16* patches,
                                int size, int patch_size) {
  patches_forward(pixels, mean, deviation, patches, size, patch_size);
}
KERNEL void patches_forward_f32(const unsigned char* pixels, const float* mean, const float* deviation, float* patches,
                                int size, int patch_size) {
  patches_forward(pixels, mean, deviation, patches, size, patch_size);
}

// The same from normalized pixel_values f32 [images, 3, size, size]. Moves 6 bytes an element (bf16, f16) or 8.
KERNEL void patches_from_values_bf16(const float* pixel_values, bf16* patches, int size, int patch_size) {
  write_patches(pixel_values, patches, size, patch_size, [](float value, int) { return value; });
}
KERNEL void patches_from_values_f16(const float* pixel_values, f16* patches, int size, int patch_size) {
  write_patches(pixel_values, patches, size, patch_size, [](float value, int) { return value; });
}
KERNEL void patches_from_values_f32(const float* pixel_values, float* patches, int size, int patch_size) {
  write_patches(pixel_values, patches, size, patch_size, [](float value, int) { return value; });
}

// x[b, 0] = class_embedding + positions[0]; x[b, 1 + i] = patch_embeddings[b, i] + positions[1 + i]. One warp a row.
//
// patch_embeddings T [images, patches, width], class_embedding T [width], positions T [patches + 1, width],
// x T [images, patches + 1, width]. Moves 4 bytes an element (bf16, f16) or 8; positions come from the caches.
template <typename T>
DEVICE void assemble_tokens_forward(const T* patch_embeddings, const T* class_embedding, const T* positions, T* x,
                                    int images, int patches, int width) {
  const int64_t row = row_of_warp();
  const int tokens = patches + 1;
  if (row >= int64_t(images) * tokens) return;
  const int64_t image = row / tokens, token = row % tokens;
  const T* embedding = token == 0 ? class_embedding : patch_embeddings + (image * patches + token - 1) * width;
  write_row(x + row * width, embedding, positions + token * width, width);
}

KERNEL void assemble_tokens_forward_bf16(const bf16* patch_embeddings, const bf16* class_embedding,
                                         const bf16* positions, bf16* x, int images, int patches, int width) {
  assemble_tokens_forward(patch_embeddings, class_embedding, positions, x, images, patches, width);
}
KERNEL void assemble_tokens_forward_f16(const f16* patch_embeddings, const f16* class_embedding,
                                        const f16* positions, f16* x, int images, int patches, int width) {
  assemble_tokens_forward(patch_embeddings, class_embedding, positions, x, images, patches, width);
}
KERNEL void assemble_tokens_forward_f32(const float* patch_embeddings, const float* class_embedding,
                                        const float* positions, float* x, int images, int patches, int width) {
  assemble_tokens_forward(patch_embeddings, class_embedding, positions, x, images, patches, width);
}

// patch_gradients[b, i] = dx[b, 1 + i], one warp a row.
//
// dx T [images, patches + 1, width], patch_gradients T [images, patches, width]. Moves 4 bytes an element or 8.
template <typename T>
DEVICE void assemble_tokens_backward(const T* dx, T* patch_gradients, int images, int patches, int width) {
  const int64_t row = row_of_warp();
  if (row >= int64_t(images) * patches) return;
  const int64_t dx_row = row + row / patches + 1;
  write_row(patch_gradients + row * width, dx + dx_row * width, static_cast<const T*>(nullptr), width);
}

KERNEL void assemble_tokens_backward_bf16(const bf16* dx, bf16* patch_gradients, int images, int patches, int width) {
  assemble_tokens_backward(dx, patch_gradients, images, patches, width);
}
KERNEL void assemble_tokens_backward_f16(const f16* dx, f16* patch_gradients, int images, int patches, int width) {
  assemble_tokens_backward(dx, patch_gradients, images, patches, width);
}
KERNEL void assemble_tokens_backward_f32(const float* dx, float* patch_gradients, int images, int patches, int width) {
  assemble_tokens_backward(dx, patch_gradients, images, patches, width);
}

// position_gradient[i] += sum of dx[b, i] over the images b; class_gradient += sum of dx[b, 0].
//
// partial f32 [n_parts, (patches + 1) * width] comes from `column_sums`; position_gradient f32 [patches + 1, width],
// class_gradient f32 [width].
KERNEL void assemble_tokens_finish(const float* partial, float* position_gradient, float* class_gradient, int n_parts,
                                   int patches, int width) {
  const int64_t values = int64_t(patches + 1) * width;
  const int64_t column = finish_column();
  const float sum = sum_of_parts(partial, n_parts, values, column);
  if (threadIdx.x >= FINISH_COLUMNS || column >= values) return;
  position_gradient[column] += sum;
  if (column < width) class_gradient[column] += sum;
}
