# Mutants of the runtime: memory that calls hand on to each other, streams, what is refused.

mutate "staging memory is recycled without waiting" runtime context.cpp "SK_CUDA(cuStreamSynchronize, ctx->stream);
  for (Staging& s : ctx->outgrown) free_staging(s);
  ctx->outgrown.clear();" "for (Staging& s : ctx->outgrown) free_staging(s);
  ctx->outgrown.clear();"
mutate "outgrown staging memory is given back at once" runtime context.cpp \
  "if (ctx->staging.bytes) ctx->outgrown.push_back(ctx->staging);" "free_staging(ctx->staging);"
mutate "outgrown staging memory is forgotten" runtime context.cpp \
  "if (ctx->staging.bytes) ctx->outgrown.push_back(ctx->staging);" ""
mutate "outgrown staging memory is kept by recycling" runtime context.cpp "for (Staging& s : ctx->outgrown) free_staging(s);
  ctx->outgrown.clear();
  ctx->staging.used = 0;" "ctx->outgrown.clear();
  ctx->staging.used = 0;"
mutate "uploads of a call overlap" embedding context.cpp "s.used += room;" ""
mutate "scratch memory never grows" runtime context.cpp "if (bytes > s.bytes) {" "if (!s.memory) {"
mutate "scratch memory is taken for larger than it is" runtime context.cpp "s.bytes = rounded;" "s.bytes = 2 * rounded;"
mutate "scratch memory that was too small is kept" runtime context.cpp "if (s.memory) SK_CUDA(cuMemFree_v2, s.memory);" ""
mutate "a context that ends keeps its scratch memory" runtime context.cpp \
  "if (ctx->scratch.memory) SK_CUDA(cuMemFree_v2, ctx->scratch.memory);" ""
mutate "a context that ends keeps its staging memory" runtime context.cpp "free_staging(ctx->staging);" ""
mutate "a context that ends keeps what was outgrown" runtime context.cpp "for (Staging& s : ctx->outgrown) free_staging(s);
  for (CUmodule" "for (CUmodule"
mutate "a download is not waited for" runtime context.cpp "size_t(bytes), ctx->stream);
  SK_CUDA(cuStreamSynchronize, ctx->stream);
}" "size_t(bytes), ctx->stream);
}"
mutate "uploads are on the default stream" runtime context.cpp "cuMemcpyHtoDAsync_v2, device, host, size_t(bytes), ctx->stream" \
  "cuMemcpyHtoDAsync_v2, device, host, size_t(bytes), nullptr"
mutate "downloads are on the default stream" runtime context.cpp "reinterpret_cast<CUdeviceptr>(device), size_t(bytes), ctx->stream" \
  "reinterpret_cast<CUdeviceptr>(device), size_t(bytes), nullptr"
mutate "memory is cleared on the default stream" runtime context.cpp "0, size_t(bytes), ctx->stream" "0, size_t(bytes), nullptr"
mutate "kernels are on the default stream" runtime context.cpp "unsigned(shared), ctx->stream" "unsigned(shared), nullptr"
mutate "a context keeps its first stream" runtime context.cpp "ctx->stream = static_cast<CUstream>(stream);" ""
mutate "a context keeps its first element type" runtime context.cpp "ctx->element = Element(element);" ""
mutate "a grid may be of any height" runtime context.cpp "grid_y <= 65535" "grid_y <= INT32_MAX"
mutate "an empty grid is launched" elementwise context.cpp "if (grid_x == 0 || grid_y == 0) return;" ""
mutate "kernels do not ask for the shared memory they need" attention context.cpp "shared > 48 << 10" "shared > 1 << 20"
mutate "heads of any size are taken" runtime attention_launch.h "if (HS > 128)" "if (HS > 256)"
mutate "a context takes threads" runtime context.cpp "if (threads > 0)" "if (threads > 4)"
