/**
 * Operations on NVIDIA's GPUs: the kernels are called as those on CPUs are, {@code ffm}'s way,
 * tensors lie in the device's memory, and products of matrices are cuBLAS's. What several processes
 * do together on devices of theirs is NCCL's: {@link dev.seekr.ops.cuda.Nccl}.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.tensor}, {@code
 * dev.seekr.distributed}, {@code dev.seekr.ops}, {@code dev.seekr.ops.ffm}.
 */
package dev.seekr.ops.cuda;
