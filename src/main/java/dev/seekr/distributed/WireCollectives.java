package dev.seekr.distributed;

import dev.seekr.Failure;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Several processes over a {@link Wire}. What is called for goes through one thread, in the order
 * of the calls: so all processes do the same in the same order, also where a sum is made while they
 * compute.
 */
public final class WireCollectives implements Collectives {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  private final Wire wire;
  private final int localRank;
  private final HostTensors host;
  private TensorWire device; // null: no tensor lies on one
  private final ExecutorService order =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("collectives").factory());
  private volatile long busy; // nanoseconds; written by the one thread that orders
  private long waited;
  private boolean closed;

  /**
   * Closes {@code wire} when it is closed.
   *
   * @param localRank which of the processes on this machine this is, from 0
   */
  public WireCollectives(Wire wire, int localRank) {
    this(wire, localRank, new HostTensors(wire));
  }

  WireCollectives(Wire wire, int localRank, HostTensors host) {
    this.wire = wire;
    this.localRank = localRank;
    this.host = host;
  }

  /** What its processes speak by, for as long as nothing else is asked of them. */
  public Wire wire() {
    return wire;
  }

  @Override
  public int localRank() {
    return localRank;
  }

  /** Tensors of the device go by this from now on. */
  public void device(TensorWire device) {
    this.device = device;
  }

  @Override
  public int rank() {
    return wire.rank();
  }

  @Override
  public int ranks() {
    return wire.ranks();
  }

  /**
   * What tensors have cost this process so far.
   *
   * @param sent bytes to others, by way of the host
   * @param busy seconds that sums and exchanges took
   * @param waited seconds of those in which nothing was computed
   */
  public record Cost(long sent, double busy, double waited) {
    /** Since {@code before}. */
    public Cost since(Cost before) {
      return new Cost(sent - before.sent, busy - before.busy, waited - before.waited);
    }
  }

  public Cost cost() {
    return new Cost(host.sent(), busy / 1e9, waited / 1e9);
  }

  private <T> T inOrder(java.util.concurrent.Callable<T> work) {
    return result(order.submit(work));
  }

  private static <T> T result(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException thrown) throw thrown;
      if (e.getCause() instanceof Error thrown) throw thrown;
      throw new IllegalStateException(e.getCause());
    }
  }

  private TensorWire of(Tensor flat) {
    if (flat.place() == Place.HOST || device == null) return host;
    return device;
  }

  @Override
  public void sum(Tensor flat) {
    sumParts(flat);
    gatherParts(flat);
  }

  @Override
  public void sumParts(Tensor flat) {
    summing(flat).run();
  }

  /** A device's own stream keeps the order; on the host the thread does. */
  @Override
  public Runnable summing(Tensor flat) {
    var future = order.submit(() -> timed(() -> of(flat).sumParts(flat)));
    return () -> await(future);
  }

  private void timed(Runnable work) {
    long start = System.nanoTime();
    work.run();
    busy += System.nanoTime() - start;
  }

  private void await(Future<?> future) {
    long start = System.nanoTime();
    result(future);
    waited += System.nanoTime() - start;
  }

  @Override
  public void gatherParts(Tensor flat) {
    await(order.submit(() -> timed(() -> of(flat).gatherParts(flat))));
  }

  @Override
  public byte[][] gather(byte[] mine) {
    return inOrder(() -> gathered(mine));
  }

  /** Lengths first, then as many bytes of each as the longest has. */
  private byte[][] gathered(byte[] mine) {
    int p = wire.ranks();
    var arena = Arena.ofAuto(); // a wire's own thread may read it
    var length = arena.allocate(LONG);
    var lengths = arena.allocate(LONG, p);
    length.set(LONG, 0, mine.length);
    wire.gather(length, lengths, LONG.byteSize());
    long longest = 0;
    for (int r = 0; r < p; r++) longest = Math.max(longest, lengths.getAtIndex(LONG, r));
    var send = arena.allocate(Math.max(1, longest), 8);
    var received = arena.allocate(Math.max(1, p * longest), 8);
    MemorySegment.copy(mine, 0, send, ValueLayout.JAVA_BYTE, 0, mine.length);
    if (longest > 0) wire.gather(send, received, longest);
    var all = new byte[p][];
    for (int r = 0; r < p; r++) {
      all[r] = new byte[Math.toIntExact(lengths.getAtIndex(LONG, r))];
      MemorySegment.copy(received, ValueLayout.JAVA_BYTE, r * longest, all[r], 0, all[r].length);
    }
    return all;
  }

  @Override
  public boolean any(boolean wish) {
    for (byte[] one : gather(new byte[] {(byte) (wish ? 1 : 0)})) if (one[0] == 1) return true;
    return false;
  }

  @Override
  public double[][] each(int n, IntFunction<double[]> of) {
    var results = new double[n][];
    var bytes = new ByteArrayOutputStream();
    try {
      var out = new DataOutputStream(bytes);
      for (int i = rank(); i < n; i += ranks()) {
        double[] values = of.apply(i);
        out.writeInt(values.length);
        for (double v : values) out.writeDouble(v);
      }
      byte[][] all = gather(bytes.toByteArray());
      for (int r = 0; r < all.length; r++) {
        var in = new DataInputStream(new ByteArrayInputStream(all[r]));
        for (int i = r; i < n; i += ranks()) {
          results[i] = new double[in.readInt()];
          for (int j = 0; j < results[i].length; j++) results[i][j] = in.readDouble();
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("it is read from memory", e);
    }
    return results;
  }

  @Override
  public <T> T agree(Supplier<T> work) {
    T result = null;
    Failure failed = null;
    try {
      result = work.get();
    } catch (Failure f) {
      failed = f;
    }
    String said = failed == null ? "" : failed.exit + " " + failed.getMessage();
    byte[][] all = gather(said.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    int first = -1, failures = 0;
    for (int r = all.length - 1; r >= 0; r--) {
      if (all[r].length == 0) continue;
      first = r;
      failures++;
    }
    if (first < 0) return result;
    String[] words = new String(all[first], java.nio.charset.StandardCharsets.UTF_8).split(" ", 2);
    String who = failures == all.length ? "" : "process %d of %d: ".formatted(first, all.length);
    var agreed = new Agreed(Failure.Exit.valueOf(words[0]), who + words[1], first());
    if (failed != null) agreed.initCause(failed);
    throw agreed;
  }

  @Override
  public void abort(int exit) {
    wire.abort(exit);
  }

  @Override
  public void close() {
    if (closed) return;
    closed = true;
    inOrder(
        () -> {
          wire.close();
          return null;
        });
    order.shutdown();
    host.close();
  }
}
