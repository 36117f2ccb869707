package dev.seekr.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Something that happens just before an operation of a kind on a path, until it is closed: what
 * another process, or a bad disk, might do at that very moment.
 */
public final class Meanwhile implements Disk.Faults, AutoCloseable {
  /** What happens. */
  public interface Event {
    void happens(Path path) throws IOException;
  }

  private final Disk.Op op;
  private final String name;
  private final int n;
  private final Event event;
  private final AtomicInteger count = new AtomicInteger();

  /**
   * @param op by name, of {@link Injection#OPS}
   * @param name of the file or folder: how its path ends
   * @param n only before the n-th, from 1; 0: before each
   */
  public Meanwhile(String op, String name, int n, Event event) {
    this.op = Disk.Op.valueOf(op);
    this.name = name;
    this.n = n;
    this.event = event;
    Disk.faults = this;
  }

  @Override
  public int before(Disk.Op now, Path path, int bytes) throws IOException {
    if (now != op || !path.endsWith(name)) return bytes;
    int number = count.incrementAndGet();
    if (n == 0 || number == n) event.happens(path);
    return bytes;
  }

  /** How many such operations there were. */
  public int count() {
    return count.get();
  }

  @Override
  public void close() {
    Disk.faults = (op, path, bytes) -> bytes;
  }
}
