package dev.seekr.distributed;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Tensors on the host. A sum is one exchange and one addition in the order of ranks, so that its
 * bits depend on nothing else: each process is sent its part by all others, 1 - 1/p of the tensor
 * altogether, which is the least there is. What does not fit the room goes piece by piece.
 *
 * <pre>
 *   exchange: process r is sent [x_0[r], x_1[r], ... x_p-1[r]]       sum: ((x_0[r] + x_1[r]) + x_2[r]) + ...
 * </pre>
 */
final class HostTensors implements TensorWire, AutoCloseable {
  /** Elements of a piece, 1 MiB of float32; no other size was tried. */
  private static final int PIECE = 1 << 18;

  private final Wire wire;
  private final int piece;
  private final Arena arena = Arena.ofShared();
  private MemorySegment send, received; // [ranks, piece] floats; null: not needed yet
  private float[] sum, more; // [piece]
  private long sent;

  HostTensors(Wire wire) {
    this(wire, PIECE);
  }

  HostTensors(Wire wire, int piece) {
    this.wire = wire;
    this.piece = piece;
  }

  /** Bytes this process has sent to others. */
  long sent() {
    return sent;
  }

  private void room() {
    if (send != null) return;
    send = arena.allocate(4L * piece * wire.ranks(), 64);
    received = arena.allocate(4L * piece * wire.ranks(), 64);
    sum = new float[piece];
    more = new float[piece];
  }

  @Override
  public void sumParts(Tensor flat) {
    room();
    int width = width(flat);
    long each = Slice.of(flat.size(), 0, wire.ranks()).n();
    for (long at = 0; at < each; at += piece) {
      long bytes = Math.min(piece, each - at) * width;
      for (int r = 0; r < wire.ranks(); r++) {
        var from = cut(flat, r, at);
        MemorySegment.copy(from.data(), 0, send, r * bytes, from.bytes());
      }
      wire.exchange(send.asSlice(0, wire.ranks() * bytes), received, bytes);
      sent += (wire.ranks() - 1) * bytes;
      add(cut(flat, wire.rank(), at), bytes);
    }
  }

  /** Elements {@code [at, at + piece)} of a process's part, fewer where it ends. */
  private Tensor cut(Tensor flat, int rank, long at) {
    Tensor part = Slice.of(flat.size(), rank, wire.ranks()).of(flat);
    long n = Math.clamp(part.size() - at, 0, piece);
    return part.view(n == 0 ? 0 : at, n);
  }

  private void add(Tensor to, long bytes) {
    int n = Math.toIntExact(to.size());
    floats(to.dtype(), 0, n, sum);
    for (int r = 1; r < wire.ranks(); r++) {
      floats(to.dtype(), r * bytes, n, more);
      for (int i = 0; i < n; i++) sum[i] += more[i];
    }
    if (to.dtype() == DType.F32)
      MemorySegment.copy(sum, 0, to.data(), ValueLayout.JAVA_FLOAT_UNALIGNED, 0, n);
    else to.copyFrom(Arrays.copyOf(sum, n));
  }

  private void floats(DType dtype, long at, int n, float[] into) {
    if (dtype == DType.F32) {
      MemorySegment.copy(received, ValueLayout.JAVA_FLOAT_UNALIGNED, at, into, 0, n);
      return;
    }
    var some = received.asSlice(at, (long) n * dtype.bytes);
    System.arraycopy(new Tensor(dtype, new long[] {n}, some).toFloats(), 0, into, 0, n);
  }

  @Override
  public void gatherParts(Tensor flat) {
    room();
    int width = width(flat);
    long each = Slice.of(flat.size(), 0, wire.ranks()).n();
    for (long at = 0; at < each; at += piece) {
      long bytes = Math.min(piece, each - at) * width;
      var mine = cut(flat, wire.rank(), at);
      MemorySegment.copy(mine.data(), 0, send, 0, mine.bytes());
      wire.gather(send.asSlice(0, bytes), received, bytes);
      sent += (wire.ranks() - 1) * bytes;
      for (int r = 0; r < wire.ranks(); r++) {
        var to = cut(flat, r, at);
        MemorySegment.copy(received, r * bytes, to.data(), 0, to.bytes());
      }
    }
  }

  @Override
  public void broadcast(Tensor flat) {
    room();
    long bytes = flat.bytes(), most = send.byteSize();
    for (long at = 0; at < bytes; at += most) {
      var some = flat.data().asSlice(at, Math.min(most, bytes - at));
      var through = send.asSlice(0, some.byteSize());
      through.copyFrom(some);
      wire.broadcast(through);
      some.copyFrom(through);
    }
  }

  private static int width(Tensor flat) {
    return switch (flat.dtype()) {
      case F32, BF16, F16 -> flat.dtype().bytes;
      default -> throw new IllegalArgumentException(flat.dtype() + " is not summed");
    };
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) arena.close();
  }
}
