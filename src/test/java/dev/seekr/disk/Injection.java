package dev.seekr.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes the n-th operation of a kind on paths below a folder fail, until it is closed. */
public final class Injection implements Disk.Faults, AutoCloseable {
  /** Kinds of operations, by name. */
  public static final String[] OPS = {"OPEN", "WRITE", "FORCE", "RENAME", "MAKE", "DELETE", "READ"};

  /** What happens at the n-th and after it. */
  public enum Mode {
    /** It fails; whatever comes later works. */
    ONCE,
    /** It fails, and so do all operations after it: as if the process had died there. */
    ALL_AFTER,
    /** Half of it is written, then nothing works any more: a disk that is full, or lost. */
    SHORT
  }

  private final Path below;
  private final Disk.Op op;
  private final Mode mode;
  private final int n;
  private final AtomicInteger count = new AtomicInteger();
  private volatile boolean dead;

  public Injection(Path below, String op, Mode mode, int n) {
    this.below = below.toAbsolutePath();
    this.op = Disk.Op.valueOf(op);
    this.mode = mode;
    this.n = n;
    Disk.faults = this;
  }

  @Override
  public int before(Disk.Op now, Path path, int bytes) throws IOException {
    if (!path.toAbsolutePath().startsWith(below)) return bytes;
    if (dead) throw new IOException("injected: nothing works any more");
    if (now != op || count.incrementAndGet() != n) return bytes;
    dead = mode != Mode.ONCE;
    if (mode == Mode.SHORT) return bytes / 2;
    throw new IOException("injected: " + op + " number " + n);
  }

  /** Whether there was an n-th. */
  public boolean happened() {
    return count.get() >= n;
  }

  @Override
  public void close() {
    Disk.faults = (op, path, bytes) -> bytes;
  }
}
