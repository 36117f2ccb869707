package dev.seekr.ops.cuda;

import static dev.seekr.ops.cuda.CudaDevice.at;
import static dev.seekr.ops.cuda.CudaDevice.check;
import static jcuda.driver.JCudaDriver.*;

import dev.seekr.distributed.Wire;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.lang.foreign.MemorySegment;

/**
 * The processes of a run by NCCL alone: bytes of the host go through pinned memory and the device.
 * They have a stream of their own and touch nothing that the device's computing and copying do, so
 * that another thread may go on with those.
 */
public final class NcclWire implements Wire {
  /** Bytes of each of two buffers on the device, and of two on the host. */
  static final long STAGE = 4 << 20;

  /** Bytes on the host and their place on the device. */
  private record Stage(MemorySegment host, MemorySegment device) {
    Stage(Memory memory, CudaDevice device, long bytes) {
      long ints = Math.ceilDiv(bytes, DType.I32.bytes);
      this(
          memory.beside(device, "NCCL's wire", DType.I32, ints).data(),
          memory.allocate(device, "NCCL's wire", DType.I32, ints).data());
    }
  }

  private final Nccl nccl;
  private final CudaDevice device;
  private final int rank, ranks;
  private final long most; // bytes of a piece
  private final Memory memory = new Memory("NCCL's wire");
  private final Stage out, in; // [ranks * most]
  private final CudaDevice.Stream stream = new CudaDevice.Stream();
  private Runnable opened = () -> {}; // what is closed with it
  private boolean closed;

  /**
   * For processes that have nothing else: opens a device, and waits for the others as {@link
   * Nccl#join(CudaDevice, int, int)} does.
   *
   * @param local which of the processes on this machine it is, from 0
   */
  public static NcclWire open(int rank, int ranks, int local) {
    var device = CudaDevice.open(STAGE, local);
    try {
      var nccl = Nccl.join(device, rank, ranks);
      var wire = new NcclWire(nccl);
      wire.opened =
          () -> {
            nccl.close();
            device.close();
          };
      return wire;
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  /**
   * @param nccl closed by whoever joined, after this
   */
  public NcclWire(Nccl nccl) {
    this.nccl = nccl;
    device = nccl.device();
    rank = nccl.rank();
    ranks = nccl.ranks();
    most = Math.max(1, STAGE / ranks);
    out = new Stage(memory, device, ranks * most);
    in = new Stage(memory, device, ranks * most);
    device.await(); // the other stream has zeroed the memory, and has no more to do with it
    check("cuStreamCreate", cuStreamCreate(stream, 1)); // CU_STREAM_NON_BLOCKING
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

  /** Pieces that fit the stages. */
  private void pieces(long bytes, Piece piece) {
    device.enter();
    for (long i = 0; i < bytes; i += most) piece.send(i, Math.min(most, bytes - i));
  }

  /** The first bytes of a stage go to the device. */
  private void up(Stage stage, long bytes) {
    var from = CudaCopies.pointer(stage.host);
    check("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(at(stage.device), from, bytes, stream));
  }

  /** They come from there, when all is done that was called for. */
  private void down(Stage stage, long bytes) {
    var to = CudaCopies.pointer(stage.host);
    check("cuMemcpyDtoHAsync", cuMemcpyDtoHAsync(to, at(stage.device), bytes, stream));
    check("cuStreamSynchronize", cuStreamSynchronize(stream));
  }

  @Override
  public void exchange(MemorySegment send, MemorySegment received, long bytes) {
    pieces(
        bytes,
        (from, n) -> {
          for (int r = 0; r < ranks; r++)
            MemorySegment.copy(send, r * bytes + from, out.host, r * n, n);
          up(out, ranks * n);
          nccl.exchange(out.device, in.device, n, stream);
          down(in, ranks * n);
          for (int r = 0; r < ranks; r++) {
            var source = r == rank ? out.host : in.host;
            MemorySegment.copy(source, r * n, received, r * bytes + from, n);
          }
        });
  }

  @Override
  public void gather(MemorySegment mine, MemorySegment received, long bytes) {
    pieces(
        bytes,
        (from, n) -> {
          MemorySegment.copy(mine, from, out.host, 0, n);
          up(out, n);
          nccl.gather(out.device, in.device, n, stream);
          down(in, ranks * n);
          for (int r = 0; r < ranks; r++)
            MemorySegment.copy(in.host, r * n, received, r * bytes + from, n);
        });
  }

  @Override
  public void broadcast(MemorySegment bytes) {
    pieces(
        bytes.byteSize(),
        (from, n) -> {
          if (rank == 0) {
            MemorySegment.copy(bytes, from, in.host, 0, n);
            up(in, n);
          }
          nccl.broadcast(in.device, n, stream);
          down(in, n);
          MemorySegment.copy(in.host, 0, bytes, from, n);
        });
  }

  @Override
  public void barrier() {
    device.enter();
    nccl.gather(out.device, in.device, 1, stream);
    check("cuStreamSynchronize", cuStreamSynchronize(stream));
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
    if (closed) return;
    closed = true;
    device.enter();
    check("cuStreamDestroy", cuStreamDestroy(stream));
    memory.close();
    opened.run();
  }
}
