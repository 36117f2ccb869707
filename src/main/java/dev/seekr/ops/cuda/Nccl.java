package dev.seekr.ops.cuda;

import dev.seekr.Failure;
import dev.seekr.distributed.Slice;
import dev.seekr.distributed.TensorWire;
import dev.seekr.distributed.Wire;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/**
 * The processes of a run, each with a CUDA device of its own, and what they do with tensors there,
 * by NCCL. It takes its place in the device's stream: calls return before it is done, and what is
 * computed afterwards sees it. In which order NCCL adds depends on how the devices are connected; a
 * part is summed once, by the process that it belongs to.
 *
 * <p>It may be called by another thread than the one that computes, always the same.
 *
 * <p>After a Failure the processes are out of step, and all that is left is {@link #close}.
 */
public final class Nccl implements TensorWire, AutoCloseable {
  /** The variable that names the file of {@link #join(CudaDevice, int, int)}. */
  public static final String ID_FILE = "SEEKR_NCCL_ID";

  private static final int BYTES = 0; // ncclInt8

  private final NcclLibrary library;
  private final CudaDevice device;
  private final int rank, ranks;
  private final NcclLibrary.On on;
  private boolean failed, closed;

  private Nccl(NcclLibrary library, CudaDevice device, int rank, int ranks, byte[] id) {
    this.library = library;
    this.device = device;
    this.rank = rank;
    this.ranks = ranks;
    device.enter();
    on = new NcclLibrary.On(library.join(id, rank, ranks), device.streamAddress());
  }

  /**
   * Waits for all processes of a wire, which is not needed any longer then.
   *
   * @throws Failure 69: there is no NCCL, or it does not reach the others; 78: two processes have
   *     the same device
   */
  public static Nccl join(CudaDevice device, Wire wire) {
    return join(device, wire.rank(), wire.ranks(), Meeting.over(wire));
  }

  /**
   * The same for processes that have no wire yet: they find each other by the file that {@link
   * #ID_FILE} names in the environment, in a folder which all of them see.
   *
   * @throws Failure as above; 69 too where not all of them come, 78 where no file is named
   */
  public static Nccl join(CudaDevice device, int rank, int ranks) {
    String file = System.getenv(ID_FILE);
    if (file == null || file.isEmpty())
      throw Failure.config(
          "%s is not set; name a file in a folder that all %d processes see, by which they find each other, or start them by MPI",
          ID_FILE, ranks);
    return join(device, rank, ranks, new FileMeeting(Path.of(file), rank, ranks));
  }

  static Nccl join(CudaDevice device, int rank, int ranks, Meeting meeting) {
    var library = NcclLibrary.open();
    var hex = HexFormat.of();
    String id = rank == 0 ? hex.formatHex(library.uniqueId()) : "";
    List<String> claims = meeting.gather(new DeviceClaim(device, id).line());
    var all = claims.stream().map(DeviceClaim::of).toList();
    DeviceClaim.check(all);
    return new Nccl(library, device, rank, ranks, hex.parseHex(all.getFirst().id()));
  }

  int rank() {
    return rank;
  }

  int ranks() {
    return ranks;
  }

  CudaDevice device() {
    return device;
  }

  /** {@inheritDoc} Of F32 or BF16; in BF16 NCCL rounds wherever it adds. */
  @Override
  public void sumParts(Tensor flat) {
    int type = type(flat);
    if (flat.dtype() != DType.F32 && flat.dtype() != DType.BF16)
      throw new IllegalArgumentException("no sums of " + flat);
    Slice mine = Slice.of(flat.size(), rank, ranks);
    run(
        () -> {
          if (partsAreEqual(flat.size()))
            library.reduceScatter(on, flat.data(), mine.of(flat).data(), mine.n(), type);
          else eachPart(flat, (r, part) -> library.reduce(on, part.data(), part.size(), type, r));
        });
  }

  @Override
  public void gatherParts(Tensor flat) {
    int type = type(flat);
    Slice mine = Slice.of(flat.size(), rank, ranks);
    run(
        () -> {
          if (partsAreEqual(flat.size()))
            library.allGather(on, mine.of(flat).data(), flat.data(), mine.n(), type);
          else
            eachPart(flat, (r, part) -> library.broadcast(on, part.data(), part.size(), type, r));
        });
  }

  @Override
  public void broadcast(Tensor flat) {
    int type = type(flat);
    if (flat.size() > 0) run(() -> library.broadcast(on, flat.data(), flat.size(), type, 0));
  }

  private boolean partsAreEqual(long size) {
    return Slice.of(size, 0, ranks).n() == Slice.of(size, ranks - 1, ranks).n() && size > 0;
  }

  private interface PartOf {
    void call(int rank, Tensor part);
  }

  /** Those that are not empty, as one. */
  private void eachPart(Tensor flat, PartOf calls) {
    library.group(
        on,
        () -> {
          for (int r = 0; r < ranks; r++) {
            Tensor part = Slice.of(flat.size(), r, ranks).of(flat);
            if (part.size() > 0) calls.call(r, part);
          }
        });
  }

  /**
   * Everybody sends everybody else a piece, between memory of the device and in a stream of it.
   *
   * @param send {@code ranks * bytes}: piece r is for process r
   * @param received the same size: piece r comes from process r, but for one's own
   */
  void exchange(MemorySegment send, MemorySegment received, long bytes, CudaDevice.Stream stream) {
    var in = on(stream);
    run(
        () ->
            library.group(
                in,
                () -> {
                  for (int r = 0; r < ranks; r++) {
                    if (r == rank) continue;
                    library.send(in, send.asSlice(r * bytes, bytes), bytes, BYTES, r);
                    library.receive(in, received.asSlice(r * bytes, bytes), bytes, BYTES, r);
                  }
                }));
  }

  /**
   * The same for what all are sent alike.
   *
   * @param received {@code ranks * bytes}
   */
  void gather(MemorySegment mine, MemorySegment received, long bytes, CudaDevice.Stream stream) {
    run(() -> library.allGather(on(stream), mine, received, bytes, BYTES));
  }

  /** Makes bytes what they are in process 0. */
  void broadcast(MemorySegment at, long bytes, CudaDevice.Stream stream) {
    run(() -> library.broadcast(on(stream), at, bytes, BYTES, 0));
  }

  private NcclLibrary.On on(CudaDevice.Stream stream) {
    return new NcclLibrary.On(on.communicator(), MemorySegment.ofAddress(stream.address()));
  }

  private void run(Runnable calls) {
    if (closed) throw new IllegalStateException("closed");
    device.enter();
    try {
      calls.run();
    } catch (Failure e) {
      failed = true;
      throw e;
    }
  }

  /** ncclDataType_t. */
  private int type(Tensor t) {
    if (t.place() != device) throw new IllegalArgumentException(t + " lies on another place");
    return switch (t.dtype()) {
      case I32 -> 2;
      case I64 -> 4;
      case F16 -> 6;
      case F32 -> 7;
      case F64 -> 8;
      case BF16 -> 9;
    };
  }

  /** Waits for what was called for; after a Failure it is given up. The device is closed later. */
  @Override
  public void close() {
    if (closed) return;
    closed = true;
    device.enter();
    if (failed) {
      library.abort(on);
    } else {
      device.await();
      library.destroy(on);
    }
  }

  /** As it can stand in a log: "NCCL 2.28.9, 4 processes". */
  @Override
  public String toString() {
    return "NCCL %s, %d processes".formatted(library.version(), ranks);
  }
}
