package dev.seekr.ops.cuda;

import dev.seekr.distributed.Wire;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.lang.foreign.MemorySegment;

/**
 * The processes of a run by NCCL alone: bytes of the host go by way of the device, behind all that
 * it has been asked to compute.
 */
public final class NcclWire implements Wire {
  /** Bytes of the device that are sent at once, to or by all together; two such buffers. */
  static final long STAGE = 4 << 20;

  private final Nccl nccl;
  private final CudaDevice device;
  private final int rank, ranks;
  private final long most; // bytes of a piece
  private final Memory memory = new Memory("NCCL's wire");
  private final MemorySegment out, in; // [ranks * most]

  /**
   * @param nccl closed by whoever joined, after this
   */
  public NcclWire(Nccl nccl) {
    this.nccl = nccl;
    device = nccl.device();
    rank = nccl.rank();
    ranks = nccl.ranks();
    most = Math.max(1, STAGE / ranks);
    out = memory.allocate(device, "wire", DType.I32, stage()).data();
    in = memory.allocate(device, "wire", DType.I32, stage()).data();
  }

  private long stage() {
    return Math.ceilDiv(ranks * most, DType.I32.bytes);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int ranks() {
    return ranks;
  }

  private interface Piece {
    void send(long from, long n);
  }

  private void pieces(long bytes, Piece piece) {
    for (long i = 0; i < bytes; i += most) piece.send(i, Math.min(most, bytes - i));
  }

  @Override
  public void exchange(MemorySegment send, MemorySegment received, long bytes) {
    pieces(
        bytes,
        (from, n) -> {
          for (int r = 0; r < ranks; r++)
            if (r != rank) device.copyIn(out.asSlice(r * n, n), send.asSlice(r * bytes + from, n));
          nccl.exchange(out.asSlice(0, ranks * n), in.asSlice(0, ranks * n), n);
          for (int r = 0; r < ranks; r++)
            if (r != rank)
              device.copyOut(received.asSlice(r * bytes + from, n), in.asSlice(r * n, n));
        });
    received.asSlice(rank * bytes, bytes).copyFrom(send.asSlice(rank * bytes, bytes));
  }

  @Override
  public void gather(MemorySegment mine, MemorySegment received, long bytes) {
    pieces(
        bytes,
        (from, n) -> {
          device.copyIn(in.asSlice(rank * n, n), mine.asSlice(from, n));
          nccl.gather(in.asSlice(0, ranks * n), n);
          for (int r = 0; r < ranks; r++)
            device.copyOut(received.asSlice(r * bytes + from, n), in.asSlice(r * n, n));
        });
  }

  @Override
  public void broadcast(MemorySegment bytes) {
    pieces(
        bytes.byteSize(),
        (from, n) -> {
          var there = in.asSlice(0, n);
          if (rank == 0) device.copyIn(there, bytes.asSlice(from, n));
          nccl.broadcast(there);
          device.copyOut(bytes.asSlice(from, n), there);
        });
  }

  @Override
  public void barrier() {
    nccl.gather(in.asSlice(0, ranks), 1);
    device.await();
  }

  /**
   * {@inheritDoc} NCCL ends this process alone: whatever started them ends the others, as {@code
   * srun --kill-on-bad-exit} and mpirun do.
   */
  @Override
  public void abort(int exit) {
    Runtime.getRuntime().halt(exit);
  }

  /** What this process sent has arrived when a call returns, so there is nobody to wait for. */
  @Override
  public void close() {
    memory.close();
  }
}
