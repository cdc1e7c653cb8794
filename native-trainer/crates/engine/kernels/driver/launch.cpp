// Modules, functions and launches. The project's kernels run in the emulator, one thread after the other; candle's are
// replaced by the functions of candle.cpp.
#include "../kernels.cu"
#include "driver.h"
#include <cuda.h>
#include <map>
#include <mutex>
#include <type_traits>
#include <utility>

namespace driver {

constexpr unsigned DEFAULT_SHARED_BYTES = 48 << 10; // static and dynamic together; more must be asked for

// Static shared memory of the kernels that have dynamic shared memory, too.
static unsigned static_shared_bytes(const std::string& name) {
  return name.rfind("layer_norm_backward_", 0) == 0 ? sizeof(RowGradient) * ROWS_PER_BLOCK : 0;
}

struct Function {
  std::string name;
  HostKernel run;
  HostKernel use_buffers; // notes which buffers a launch uses
  bool is_emulated; // needs the emulator's threads
  unsigned max_shared_bytes = DEFAULT_SHARED_BYTES - static_shared_bytes(name);
};

template <typename... Parameters, size_t... Indices>
static HostKernel with_arguments(void (*kernel)(Parameters...), std::index_sequence<Indices...>) {
  return [kernel](const Arguments& arguments) {
    kernel(arguments.get<std::remove_const_t<Parameters>>(static_cast<int>(Indices))...);
  };
}
template <typename Parameter> static void use_if_pointer(const Arguments& arguments, int index) {
  if constexpr (std::is_pointer_v<Parameter>) use(reinterpret_cast<uint64_t>(arguments.get<const void*>(index)));
}
template <typename... Parameters, size_t... Indices>
static HostKernel buffers_of(void (*)(Parameters...), std::index_sequence<Indices...>) {
  return [](const Arguments& arguments) { (use_if_pointer<Parameters>(arguments, static_cast<int>(Indices)), ...); };
}

struct ProjectKernel {
  HostKernel run, use_buffers;
};
template <typename... Parameters> static ProjectKernel host_kernel(void (*kernel)(Parameters...)) {
  const auto indices = std::index_sequence_for<Parameters...>{};
  return {with_arguments(kernel, indices), buffers_of(kernel, indices)};
}

#define ONE(name) {#name, host_kernel(name)}
#define EACH(name) ONE(name##_bf16), ONE(name##_f16), ONE(name##_f32)
#define ATTENTION(kind)                                                                                                \
  ONE(attention_forward_##kind), ONE(attention_backward_q_##kind), ONE(attention_backward_kv_##kind)
#define HALF_ATTENTION(width) ATTENTION(w##width##_bf16), ATTENTION(w##width##_f16)

// Every kernel of kernels.cu.
static const std::map<std::string, ProjectKernel>& project_kernels() {
  static const std::map<std::string, ProjectKernel> kernels = {
      EACH(layer_norm_forward),       EACH(layer_norm_backward),      ONE(layer_norm_backward_finish),
      EACH(activation_forward),       EACH(activation_backward),      EACH(column_sums),
      ONE(column_sums_finish),        EACH(embedding_forward),        EACH(embedding_backward),
      ONE(embedding_backward_finish), EACH(patches_from_values),      EACH(patches_forward),
      EACH(assemble_tokens_forward),  EACH(assemble_tokens_backward), ONE(assemble_tokens_finish),
      EACH(gather_rows),              EACH(scatter_rows),             ONE(cast_f32_to_bf16),
      ONE(cast_f32_to_f16),           ONE(sum_of_squares),            ONE(sum_of_squares_finish),
      ONE(adamw),                     EACH(attention_delta),          ATTENTION(f32),
      HALF_ATTENTION(16),             HALF_ATTENTION(32),             HALF_ATTENTION(48),
      HALF_ATTENTION(64),             HALF_ATTENTION(80),             HALF_ATTENTION(96),
      HALF_ATTENTION(128),
  };
  return kernels;
}

// Never freed: the program keeps what it loaded.
static Function* find_function(const std::string& name) {
  static std::map<std::string, Function*> functions;
  static std::mutex mutex;
  const std::lock_guard<std::mutex> guard(mutex);
  if (functions[name]) return functions[name];
  const auto found = project_kernels().find(name);
  const bool is_emulated = found != project_kernels().end();
  const ProjectKernel kernel = is_emulated ? found->second : ProjectKernel{candle_kernel(name), {}};
  if (!kernel.run) fail("the kernel " + name + " is not emulated");
  return functions[name] = new Function{name, kernel.run, kernel.use_buffers, is_emulated};
}

// A NaN among the parameters, or a broken kernel, after as many steps of the optimizer as the settings say.
static void spoil_step(const Arguments& arguments) {
  static int n_steps = 0;
  n_steps++;
  if (n_steps == settings().nan_after_steps) *arguments.get<float*>(0) = NAN;
  if (n_steps == settings().lost_after_steps) lose();
}

// The emulator runs one launch at a time.
static void run(Function& function, dim3 grid, unsigned n_threads, unsigned shared_bytes, void** parameters) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> guard(mutex);
  if (shared_bytes > function.max_shared_bytes) {
    fail(function.name + ": " + std::to_string(shared_bytes) + " bytes of shared memory were not asked for");
  }
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) fail(function.name + ": a grid without blocks");
  const Arguments arguments{parameters, grid.x};
  if (!function.is_emulated) return function.run(arguments);
  function.use_buffers(arguments);
  launch(grid, n_threads, shared_bytes, [&] { function.run(arguments); });
  if (function.name == "adamw") spoil_step(arguments);
}

} // namespace driver

extern "C" {

CUresult cuModuleLoadData(CUmodule* module, const void*) {
  *module = reinterpret_cast<CUmodule>(uintptr_t(4));
  return CUDA_SUCCESS;
}
CUresult cuModuleUnload(CUmodule) { return CUDA_SUCCESS; }
CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char* name) {
  *function = reinterpret_cast<CUfunction>(driver::find_function(name));
  return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
    driver::fail("only the largest dynamic shared memory may be set");
  }
  reinterpret_cast<driver::Function*>(function)->max_shared_bytes = value;
  return CUDA_SUCCESS;
}
CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream,
                        void** parameters, void**) {
  if (driver::is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  driver::on_stream(stream);
  auto& launched = *reinterpret_cast<driver::Function*>(function);
  if (launched.is_emulated && (block_y != 1 || block_z != 1)) driver::fail(launched.name + ": blocks have one axis");
  driver::run(launched, dim3(grid_x, grid_y, grid_z), block_x, shared_bytes, parameters);
  return CUDA_SUCCESS;
}

} // extern "C"
