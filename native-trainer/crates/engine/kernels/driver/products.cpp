// Matrix products: cuBLASLt, which the project's engine uses, and the strided batches of cuBLAS, which candle uses.
// Matrices are stored by columns. Sums are f32, in another order than a GPU's.
#include "../bridge.cuh"
#include "driver.h"
#include <cstring>
#include <vector>
// The emulator has a type of this name, too.
#define dim3 cuda_dim3
#include <cublasLt.h>
#undef dim3

namespace driver {

struct Matrix {
  cudaDataType type;
  uint64_t rows, columns;
  int64_t stride; // from one column to the next, in values

  bool operator==(const Matrix& other) const {
    return type == other.type && rows == other.rows && columns == other.columns && stride == other.stride;
  }
};

static size_t value_bytes(cudaDataType type) {
  if (type == CUDA_R_16BF || type == CUDA_R_16F) return sizeof(bf16);
  if (type == CUDA_R_32F) return sizeof(float);
  fail("products are emulated for bf16, f16 and f32 only");
}
static float read(const void* values, cudaDataType type, size_t index) {
  if (type == CUDA_R_16BF) return to_float(static_cast<const bf16*>(values)[index]);
  if (type == CUDA_R_16F) return to_float(static_cast<const f16*>(values)[index]);
  return static_cast<const float*>(values)[index];
}
static void write(void* values, cudaDataType type, size_t index, float value) {
  if (type == CUDA_R_16BF) static_cast<bf16*>(values)[index] = from_float<bf16>(value);
  else if (type == CUDA_R_16F) static_cast<f16*>(values)[index] = from_float<f16>(value);
  else static_cast<float*>(values)[index] = value;
}
static void check_matrix(const Matrix& matrix, const void* values, const char* what) {
  if (matrix.stride < static_cast<int64_t>(matrix.rows)) fail(std::string(what) + ": columns overlap");
  if (matrix.rows == 0 || matrix.columns == 0) fail(std::string(what) + ": a matrix without values");
  const size_t n_values = matrix.stride * (matrix.columns - 1) + matrix.rows;
  check_range(reinterpret_cast<uint64_t>(values), value_bytes(matrix.type) * n_values, what);
}

// A matrix as f32: row by row, or column by column.
static std::vector<float> unpacked(const Matrix& matrix, const void* values, bool by_rows) {
  std::vector<float> result(matrix.rows * matrix.columns);
  for (uint64_t column = 0; column < matrix.columns; column++) {
    for (uint64_t row = 0; row < matrix.rows; row++) {
      result[by_rows ? row * matrix.columns + column : column * matrix.rows + row] =
          read(values, matrix.type, column * matrix.stride + row);
    }
  }
  return result;
}

// out = alpha * op(a) * op(b) + beta * addend, and a bias added to each column.
struct Product {
  Matrix a, b, out;
  bool is_a_transposed, is_b_transposed;
  float alpha, beta;

  uint64_t n_inner() const { return is_a_transposed ? a.rows : a.columns; }
  void check_shapes() const {
    const uint64_t inner_of_b = is_b_transposed ? b.columns : b.rows;
    const uint64_t rows = is_a_transposed ? a.columns : a.rows, columns = is_b_transposed ? b.rows : b.columns;
    if (n_inner() != inner_of_b || out.rows != rows || out.columns != columns) fail("the shapes of a product differ");
    if (a.type != b.type) fail("the factors of a product have different types");
  }
  void run(const void* a_values, const void* b_values, const void* addend, void* out_values, const void* bias) const {
    check_shapes();
    check_matrix(a, a_values, "the first factor of a product");
    check_matrix(b, b_values, "the second factor of a product");
    check_matrix(out, out_values, "the result of a product");
    if (beta != 0) check_matrix(out, addend, "the addend of a product");
    if (bias) check_range(reinterpret_cast<uint64_t>(bias), value_bytes(out.type) * out.rows, "a bias");
    const uint64_t n = n_inner();
    const std::vector<float> rows = unpacked(a, a_values, !is_a_transposed); // the inner index runs fastest in both
    const std::vector<float> columns = unpacked(b, b_values, is_b_transposed);
    for (uint64_t column = 0; column < out.columns; column++) {
      for (uint64_t row = 0; row < out.rows; row++) {
        const float *left = &rows[row * n], *right = &columns[column * n];
        float sum = 0;
        for (uint64_t i = 0; i < n; i++) sum += left[i] * right[i];
        const size_t place = column * out.stride + row;
        float value = alpha * sum;
        if (beta != 0) value += beta * read(addend, out.type, place);
        if (bias) value += read(bias, out.type, row);
        write(out_values, out.type, place, value);
      }
    }
  }
};

// What stands behind cuBLASLt's handles.
struct Description {
  int transpose_a = CUBLAS_OP_N, transpose_b = CUBLAS_OP_N, epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;

  Product product(const Matrix& a, const Matrix& b, const Matrix& out) const {
    return {a, b, out, transpose_a != CUBLAS_OP_N, transpose_b != CUBLAS_OP_N, 1, 0};
  }
};
constexpr int OPERANDS = 4; // A, B, C, D
struct Preference {
  uint32_t alignments[OPERANDS] = {256, 256, 256, 256};
};
// An algorithm may be used for the shapes and alignments that it was asked for, as on a GPU.
struct Algorithm {
  uint32_t alignments[OPERANDS];
  uint64_t rows, columns, n_inner;
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t), "an algorithm fits into the library's type");

static Description& of(cublasLtMatmulDesc_t handle) { return *reinterpret_cast<Description*>(handle); }
static Matrix& of(cublasLtMatrixLayout_t handle) { return *reinterpret_cast<Matrix*>(handle); }
static Preference& of(cublasLtMatmulPreference_t handle) { return *reinterpret_cast<Preference*>(handle); }

} // namespace driver

using namespace driver;
using Status = cublasStatus_t;
constexpr Status SUCCESS = CUBLAS_STATUS_SUCCESS;

extern "C" {

Status cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(uintptr_t(5));
  return SUCCESS;
}
Status cublasLtDestroy(cublasLtHandle_t) { return SUCCESS; }
const char* cublasLtGetStatusString(Status) { return "an error of the emulated cuBLASLt"; }

Status cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows, uint64_t columns,
                                  int64_t stride) {
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(new Matrix{type, rows, columns, stride});
  return SUCCESS;
}
Status cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete &of(layout);
  return SUCCESS;
}

Status cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* description, cublasComputeType_t compute, cudaDataType_t scale) {
  if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F) fail("cuBLASLt is emulated for sums in f32 only");
  *description = reinterpret_cast<cublasLtMatmulDesc_t>(new Description);
  return SUCCESS;
}
Status cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) {
  delete &of(description);
  return SUCCESS;
}
Status cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description, cublasLtMatmulDescAttributes_t attribute,
                                      const void* value, size_t bytes) {
  Description& set = of(description);
  const auto number = [&] { return bytes == sizeof(int) ? *static_cast<const int*>(value) : -1; };
  switch (attribute) {
  case CUBLASLT_MATMUL_DESC_TRANSA: set.transpose_a = number(); break;
  case CUBLASLT_MATMUL_DESC_TRANSB: set.transpose_b = number(); break;
  case CUBLASLT_MATMUL_DESC_EPILOGUE: set.epilogue = number(); break;
  case CUBLASLT_MATMUL_DESC_BIAS_POINTER: set.bias = *static_cast<const void* const*>(value); break;
  default: fail("the attribute " + std::to_string(attribute) + " of a product is not emulated");
  }
  return SUCCESS;
}

Status cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return SUCCESS;
}
Status cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete &of(preference);
  return SUCCESS;
}
Status cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                            cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                            size_t bytes) {
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return SUCCESS;
  if (attribute == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK) {
    const uint32_t schemes = *static_cast<const uint32_t*>(value);
    if (schemes != CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE) fail("parts of a sum are added in f32 here");
    return SUCCESS;
  }
  const int operand = attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
  if (operand < 0 || operand >= OPERANDS || bytes != sizeof(uint32_t)) {
    fail("the preference " + std::to_string(attribute) + " is not emulated");
  }
  of(preference).alignments[operand] = *static_cast<const uint32_t*>(value);
  return SUCCESS;
}
Status cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t description, cublasLtMatrixLayout_t a,
                                      cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t,
                                      cublasLtMatmulPreference_t preference, int,
                                      cublasLtMatmulHeuristicResult_t* found, int* n_found) {
  const Product product = of(description).product(of(a), of(b), of(c));
  product.check_shapes();
  Algorithm algorithm{{}, of(c).rows, of(c).columns, product.n_inner()};
  memcpy(algorithm.alignments, of(preference).alignments, sizeof algorithm.alignments);
  memset(found, 0, sizeof *found);
  memcpy(&found->algo, &algorithm, sizeof algorithm);
  found->state = SUCCESS;
  *n_found = 1;
  return SUCCESS;
}
Status cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void* alpha, const void* a,
                      cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout, const void* beta,
                      const void* c, cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t d_layout,
                      const cublasLtMatmulAlgo_t* given, void* workspace, size_t workspace_bytes,
                      cudaStream_t stream) {
  on_stream(stream);
  const Description& wanted = of(description);
  if (!(of(c_layout) == of(d_layout))) fail("the addend of a product has another layout than the result");
  if (wanted.epilogue != CUBLASLT_EPILOGUE_DEFAULT && wanted.epilogue != CUBLASLT_EPILOGUE_BIAS) {
    fail("the epilogue " + std::to_string(wanted.epilogue) + " is not emulated");
  }
  Product product = wanted.product(of(a_layout), of(b_layout), of(c_layout));
  product.alpha = *static_cast<const float*>(alpha);
  product.beta = *static_cast<const float*>(beta);

  Algorithm algorithm;
  memcpy(&algorithm, given, sizeof algorithm);
  if (algorithm.rows != product.out.rows || algorithm.columns != product.out.columns ||
      algorithm.n_inner != product.n_inner()) {
    fail("an algorithm is used for another product than it was made for");
  }
  const void* operands[OPERANDS] = {a, b, c, d};
  for (int i = 0; i < OPERANDS; i++) {
    if (reinterpret_cast<uintptr_t>(operands[i]) % algorithm.alignments[i] != 0) {
      fail("a product is not aligned as promised");
    }
  }
  check_range(reinterpret_cast<uint64_t>(workspace), workspace_bytes, "the workspace of a product");
  product.run(a, b, c, d, wanted.epilogue == CUBLASLT_EPILOGUE_BIAS ? wanted.bias : nullptr);
  return SUCCESS;
}

Status cublasCreate_v2(cublasHandle_t* handle) {
  *handle = reinterpret_cast<cublasHandle_t>(uintptr_t(6));
  return SUCCESS;
}
Status cublasDestroy_v2(cublasHandle_t) { return SUCCESS; }
Status cublasSetStream_v2(cublasHandle_t, cudaStream_t) { return SUCCESS; }
Status cublasGemmStridedBatchedEx(cublasHandle_t, cublasOperation_t transpose_a, cublasOperation_t transpose_b, int m,
                                  int n, int k, const void* alpha, const void* a, cudaDataType a_type, int a_stride,
                                  long long a_step, const void* b, cudaDataType b_type, int b_stride, long long b_step,
                                  const void* beta, void* c, cudaDataType c_type, int c_stride, long long c_step,
                                  int n_products, cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (compute == CUBLAS_COMPUTE_16F) fail("cuBLAS is emulated for sums in f32 only");
  const auto matrix = [](cudaDataType type, bool is_transposed, int rows, int columns, int stride) {
    return Matrix{type, static_cast<uint64_t>(is_transposed ? columns : rows),
                  static_cast<uint64_t>(is_transposed ? rows : columns), stride};
  };
  const bool turn_a = transpose_a != CUBLAS_OP_N, turn_b = transpose_b != CUBLAS_OP_N;
  const Product product{matrix(a_type, turn_a, m, k, a_stride),
                        matrix(b_type, turn_b, k, n, b_stride),
                        matrix(c_type, false, m, n, c_stride),
                        turn_a,
                        turn_b,
                        *static_cast<const float*>(alpha),
                        *static_cast<const float*>(beta)};
  const auto at = [](const void* values, cudaDataType type, long long step) {
    return static_cast<const char*>(values) + step * static_cast<long long>(value_bytes(type));
  };
  for (int i = 0; i < n_products; i++) {
    const char* out = at(c, c_type, i * c_step);
    product.run(at(a, a_type, i * a_step), at(b, b_type, i * b_step), out, const_cast<char*>(out), nullptr);
  }
  return SUCCESS;
}

} // extern "C"
