package dev.seekr.ops.cuda;

import dev.seekr.Failure;
import dev.seekr.distributed.Slice;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * One of the processes of {@link NcclTest}. It writes what it has in the end into files {@code
 * NAME.RANK} of a folder, and says on its output what was refused.
 */
final class NcclRank {
  /** Fewer than processes, not a multiple of what is aligned, parts that are equal, many pieces. */
  static List<Integer> sizes(int ranks) {
    return List.of(0, 1, 63, 64 * ranks, 192 * ranks, 64 * ranks + 1, 1000, 600_001);
  }

  static final List<DType> TYPES = List.of(DType.F32, DType.BF16);

  /** Of a piece of the wire; the last takes several of the stage. */
  static final List<Integer> BYTES = List.of(0, 1, 1000, (int) NcclWire.STAGE / 2 + 7);

  private final CudaDevice device;
  private final int rank, ranks;
  private final Path folder;

  private NcclRank(CudaDevice device, int rank, int ranks, Path folder) {
    this.device = device;
    this.rank = rank;
    this.ranks = ranks;
    this.folder = folder;
  }

  /** Of magnitudes so different that a sum depends on its order. */
  static float[] values(int rank, int n) {
    var random = new Random(1000L * n + rank);
    float[] values = new float[n];
    for (int i = 0; i < n; i++)
      values[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(30)));
    return values;
  }

  static byte[] bytes(int from, int to, int n) {
    byte[] bytes = new byte[n];
    new Random(1000L * n + 10 * from + to).nextBytes(bytes);
    return bytes;
  }

  public static void main(String[] arguments) {
    int rank = Integer.parseInt(arguments[1]), ranks = Integer.parseInt(arguments[2]);
    try {
      if (arguments[0].equals("version")) {
        System.out.println(NcclLibrary.open().version());
        return;
      }
      try (var device = CudaDevice.open(0, rank)) {
        new NcclRank(device, rank, ranks, Path.of(arguments[3])).run(arguments[0]);
      }
    } catch (Failure failure) {
      System.err.println(failure.getMessage());
      System.exit(failure.exit.code);
    }
  }

  private void run(String what) {
    switch (what) {
      case "tensors" -> with(this::tensors);
      case "wire" -> with(this::wire);
      case "join" -> with(nccl -> System.out.println(nccl));
      case "misuse" -> misuse();
      case "alone" -> alone();
      case "death" -> death();
      default -> throw new IllegalArgumentException(what);
    }
  }

  private interface Work {
    void with(Nccl nccl);
  }

  private void with(Work work) {
    try (var nccl = Nccl.join(device, rank, ranks)) {
      work.with(nccl);
    }
  }

  private void save(String name, byte[] bytes) {
    try {
      Files.write(folder.resolve(name + "." + rank), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void save(String name, Tensor t) {
    save(name, t.toHost().data().toArray(ValueLayout.JAVA_BYTE));
  }

  private void tensors(Nccl nccl) {
    for (DType type : TYPES)
      for (int n : sizes(ranks))
        try (var memory = new Memory("test")) {
          Tensor flat = memory.allocate(device, "t", type, n);
          Tensor copy = memory.allocate(device, "t", type, n);
          Slice part = Slice.of(n, rank, ranks);
          String name = type + "-" + n;
          // Nobody waits between computing, here a copy, and what all do, and computing again.
          flat.copyFrom(values(rank, n));
          nccl.sumParts(flat);
          copy.copyFrom(flat);
          save("sum-" + name, part.of(copy));
          flat.copyFrom(values(rank, n));
          nccl.gatherParts(flat);
          copy.copyFrom(flat);
          save("gather-" + name, copy);
          flat.copyFrom(values(rank, n));
          nccl.broadcast(flat);
          copy.copyFrom(flat);
          save("broadcast-" + name, copy);
        }
  }

  private void wire(Nccl nccl) {
    try (var wire = new NcclWire(nccl);
        var arena = Arena.ofConfined()) {
      for (int n : BYTES) {
        var send = arena.allocate(Math.max(1, (long) ranks * n)).asSlice(0, (long) ranks * n);
        var received = arena.allocate(Math.max(1, send.byteSize())).asSlice(0, send.byteSize());
        for (int r = 0; r < ranks; r++)
          send.asSlice((long) r * n, n).copyFrom(MemorySegment.ofArray(bytes(rank, r, n)));
        wire.exchange(send, received, n);
        save("exchange-" + n, received.toArray(ValueLayout.JAVA_BYTE));
        wire.gather(send.asSlice(0, n), received, n);
        save("gather-" + n, received.toArray(ValueLayout.JAVA_BYTE));
        received.asSlice((long) rank * n, n).copyFrom(send.asSlice(0, n));
        wire.gather(received.asSlice((long) rank * n, n), received, n);
        save("in-place-" + n, received.toArray(ValueLayout.JAVA_BYTE));
        wire.barrier();
        wire.broadcast(send.asSlice(0, n));
        save("broadcast-" + n, send.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
      }
      beside(wire);
      try (var second = Nccl.join(device, wire);
          var memory = new Memory("test")) {
        Tensor flat = memory.allocate(device, "t", DType.F32, 5);
        flat.copyFrom(values(rank, 5));
        second.broadcast(flat);
        save("second", flat);
      }
    }
  }

  /** While another thread exchanges bytes this one copies and computes, as the trainer does. */
  private void beside(NcclWire wire) {
    int n = 10_000, rounds = 20;
    try (var arena = Arena.ofShared();
        var memory = new Memory("test")) {
      var send = arena.allocate((long) ranks * n);
      var received = arena.allocate((long) ranks * n);
      for (int r = 0; r < ranks; r++)
        send.asSlice((long) r * n, n).copyFrom(MemorySegment.ofArray(bytes(rank, r, n)));
      var all = new ByteArrayOutputStream();
      var other =
          new FutureTask<Void>(
              () -> {
                for (int i = 0; i < rounds; i++) {
                  wire.exchange(send, received, n);
                  all.write(received.toArray(ValueLayout.JAVA_BYTE));
                }
                return null;
              });
      var thread = Thread.ofPlatform().start(other);
      Tensor here = memory.allocate(device, "t", DType.F32, n);
      Tensor there = memory.allocate(device, "t", DType.F32, n);
      do {
        here.copyFrom(values(rank, n));
        there.copyFrom(here);
        if (!Arrays.equals(there.toFloats(), values(rank, n)))
          throw new IllegalStateException("a copy is not what was copied");
      } while (!other.isDone());
      other.get();
      thread.join();
      save("beside", all.toByteArray());
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private void refused(String what, Runnable work) {
    try {
      work.run();
      System.out.println(what + ": done");
    } catch (Failure failure) {
      System.out.println(what + ": " + failure.exit.code + " " + failure.getMessage());
    }
  }

  /** In each of two processes. */
  private void misuse() {
    try (var memory = new Memory("test")) {
      Tensor five = memory.allocate(device, "t", DType.F32, 5);
      Tensor seven = memory.allocate(device, "t", DType.F32, 7);
      Tensor narrow = memory.allocate(device, "t", DType.BF16, 5);
      boolean first = rank == 0;
      refused("counts", () -> with(nccl -> nccl.broadcast(first ? five : seven)));
      refused("types", () -> with(nccl -> nccl.sumParts(first ? five : narrow)));
      refused(
          "order",
          () ->
              with(
                  nccl -> {
                    if (first) nccl.sumParts(five);
                    else nccl.gatherParts(five);
                  }));
      refused(
          "memory",
          () ->
              with(
                  nccl -> {
                    var behind = MemorySegment.ofAddress(five.data().address() + 4).reinterpret(20);
                    nccl.broadcast(
                        first ? new Tensor(DType.F32, new long[] {5}, behind, device) : five);
                  }));
      var claims = new ArrayList<String>();
      var meeting = new FileMeeting(Path.of(System.getenv(Nccl.ID_FILE)), rank, ranks);
      Meeting remembered =
          mine -> {
            claims.addAll(meeting.gather(mine));
            return claims;
          };
      refused("join", () -> Nccl.join(device, rank, ranks, remembered).close());
      refused("again", () -> Nccl.join(device, rank, ranks, _ -> claims).close());
    }
  }

  /** By the first of two devices alone. */
  private void alone() {
    var library = NcclLibrary.open();
    try (var other = CudaDevice.open(0, 1);
        var memory = new Memory("test")) {
      Tensor five = memory.allocate(device, "t", DType.F32, 5);
      five.copyFrom(values(0, 5));
      device.enter();
      var comm = library.join(library.uniqueId(), 0, 1);
      var right = new NcclLibrary.On(comm, device.streamAddress());
      var foreign = new NcclLibrary.On(comm, other.streamAddress());
      var none = new NcclLibrary.On(comm, MemorySegment.NULL);
      refused("right", () -> library.reduce(right, five.data(), 5, 7, 0));
      refused("foreign stream", () -> library.reduce(foreign, five.data(), 5, 7, 0));
      refused("no stream", () -> library.reduce(none, five.data(), 5, 7, 0));
      refused("integers", () -> library.reduce(right, five.data(), 5, 2, 0));
      refused("no such rank", () -> library.reduce(right, five.data(), 5, 7, 1));
      refused("destroy", () -> library.destroy(right));
      refused("destroyed", () -> library.reduce(right, five.data(), 5, 7, 0));
      refused("twice", () -> library.destroy(right));
      save("alone", five);
      other.enter();
    }
    device.enter();
  }

  private void death() {
    with(
        nccl -> {
          if (rank == 1) Runtime.getRuntime().halt(9);
          try (var memory = new Memory("test")) {
            nccl.broadcast(memory.allocate(device, "t", DType.F32, 5));
          }
        });
  }
}
