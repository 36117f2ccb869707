package dev.seekr.disk;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to write into a folder, which one process has at a time: a lock of the operating system
 * on the file {@code lock}, and {@code attempt.json} with who has it. The lock goes with its
 * process, however that ends. Each holder has a higher attempt number than all before; who is no
 * longer the newest must not write (a process that a batch system cut off and started anew
 * elsewhere, where locks do not reach).
 */
public final class Attempt implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A holder on another machine shows that it lives this often, and is given up after so long. */
  private static final Duration BEAT = Duration.ofSeconds(10), SILENCE = Duration.ofSeconds(60);

  /**
   * Folders this very process has, by their real paths: closing a second channel to a lock would
   * give up the first.
   */
  private static final Map<Path, Optional<Attempt>> HELD = new ConcurrentHashMap<>();

  private final Path folder, real;
  private final Holder holder;
  private final FileChannel channel;
  private final Thread heart;
  private volatile boolean closed;

  /**
   * Who has a folder.
   *
   * @param number of the attempt, from 1
   * @param pid of the process, 0: none any more
   * @param host it runs on
   * @param job of a batch system that it belongs to, "": none
   * @param folder that relative paths are relative to: that of the first holder, for all
   */
  private record Holder(int number, long pid, String host, String job, String folder) {
    static Holder me(int number, String folder) {
      return new Holder(number, ProcessHandle.current().pid(), thisHost(), thisJob(), folder);
    }

    private static String thisHost() {
      try {
        return InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException e) {
        return "localhost";
      }
    }

    /** Slurm's or PBS's number of the job, which stays when the job is requeued. */
    private static String thisJob() {
      for (String name : new String[] {"SLURM_JOB_ID", "PBS_JOBID"})
        if (System.getenv(name) != null) return name + "=" + System.getenv(name);
      return "";
    }

    @Override
    public String toString() {
      return "process %d on %s (attempt %d)".formatted(pid, host, number);
    }
  }

  private Attempt(Path folder, Path real, Holder holder, FileChannel channel) {
    this.folder = folder.toAbsolutePath().normalize();
    this.real = real;
    this.holder = holder;
    this.channel = channel;
    heart = Thread.ofPlatform().daemon().name("attempt").start(this::beat);
  }

  /**
   * Takes a folder that is there.
   *
   * @param least the number is at least this
   * @throws Failure (73) naming who has it
   */
  public static Attempt take(Path folder, int least) {
    Path real;
    try {
      real = folder.toRealPath();
    } catch (IOException e) {
      throw notMade(folder, e);
    }
    if (HELD.putIfAbsent(real, Optional.empty()) != null) throw inUse(folder, read(folder));
    FileChannel channel = null;
    try {
      channel = Disk.open(folder.resolve("lock"), CREATE, WRITE);
      var lock = Lock.of(channel);
      Optional<Holder> before = read(folder); // now, when who has the lock alone writes it
      if (lock == Lock.OTHERS || before.isPresent() && lives(before.get(), folder, lock))
        throw inUse(folder, before);
      String here = Path.of("").toAbsolutePath().toString();
      int number = Math.max(least, before.map(Holder::number).orElse(0) + 1);
      var me = Holder.me(number, before.map(Holder::folder).orElse(here));
      write(folder, me);
      var attempt = new Attempt(folder, real, me, channel);
      HELD.put(real, Optional.of(attempt));
      return attempt;
    } catch (IOException e) {
      close(real, channel);
      throw notMade(folder, e);
    } catch (Failure failure) {
      close(real, channel);
      throw failure;
    }
  }

  private static Failure notMade(Path folder, IOException e) {
    return new Failure(
        Exit.CREATE, folder.resolve("lock") + ": cannot be made: " + Reading.reason(e), e);
  }

  private static Failure inUse(Path folder, Optional<Holder> by) {
    return new Failure(
        Exit.CREATE,
        "%s is in use by %s; wait for it, or stop it"
            .formatted(folder, Failure.plain(by.map(Holder::toString).orElse("another process"))));
  }

  /** Whose the operating system's lock is. */
  private enum Lock {
    OURS,
    OTHERS,
    /** Nobody's: this file system has none, and attempt.json alone tells. */
    NONE;

    static Lock of(FileChannel channel) {
      try {
        return channel.tryLock() == null ? OTHERS : OURS;
      } catch (IOException e) {
        return NONE;
      }
    }
  }

  /** Of a holder that has no lock that could be seen here. */
  private static boolean lives(Holder other, Path folder, Lock lock) throws IOException {
    var me = Holder.me(0, "");
    if (other.pid == 0) return false;
    if (other.host.equals(me.host))
      return lock == Lock.NONE && other.pid != me.pid && ProcessHandle.of(other.pid).isPresent();
    if (!other.job.isEmpty() && other.job.equals(me.job)) return false;
    Instant beat = Files.getLastModifiedTime(file(folder)).toInstant();
    return Duration.between(beat, Instant.now()).compareTo(SILENCE) < 0;
  }

  private static Path file(Path folder) {
    return folder.resolve("attempt.json");
  }

  /** Who has, or had, the folder; empty where nobody did, or it cannot be told. */
  private static Optional<Holder> read(Path folder) {
    Path file = file(folder);
    if (!Files.exists(file)) return Optional.empty();
    try {
      var fields = Fields.read(file);
      return Optional.of(
          new Holder(
              fields.whole("attempt", 0, Integer.MAX_VALUE - 1),
              fields.longWhole("pid"),
              fields.text("host"),
              fields.text("job"),
              folder(fields)));
    } catch (Failure e) {
      if (e.exit == Exit.DATA) return Optional.empty(); // torn
      throw new Failure(Exit.IO, e.getMessage(), e);
    }
  }

  private static String folder(Fields fields) {
    try {
      return Path.of(fields.text("folder")).toString();
    } catch (InvalidPathException e) {
      throw fields.wrong("folder", "a path");
    }
  }

  private static void write(Path folder, Holder holder) {
    var json = JSON.createObjectNode();
    json.put("attempt", holder.number).put("pid", holder.pid).put("host", holder.host);
    json.put("job", holder.job).put("folder", holder.folder);
    Disk.write(file(folder), json + "\n");
  }

  public int number() {
    return holder.number;
  }

  /** What the relative paths of the first attempt are relative to. */
  public Path workingFolder() {
    return Path.of(holder.folder);
  }

  /** Before anything is written to {@code path}: throws Failure (73) where it is no longer ours. */
  static void mayWrite(Path path) {
    if (HELD.isEmpty()) return;
    Path absolute = path.toAbsolutePath().normalize();
    for (Optional<Attempt> attempt : HELD.values())
      if (attempt.isPresent() && absolute.startsWith(attempt.get().folder)) attempt.get().check();
  }

  /**
   * Throws Failure (73) where attempt {@code number} is not the newest any more: of a process whose
   * attempt another one has taken.
   */
  public static void require(Path folder, int number) {
    Optional<Holder> now = read(folder);
    if (now.isEmpty() || now.get().number != number) throw takenOver(folder, now, number);
  }

  private void check() {
    Optional<Holder> now = read(folder);
    if (now.isEmpty() || !now.get().equals(holder)) throw takenOver(folder, now, holder.number);
  }

  private static Failure takenOver(Path folder, Optional<Holder> now, int number) {
    return new Failure(
        Exit.CREATE,
        "%s: %s; this process (attempt %d) writes no more"
            .formatted(
                folder,
                now.map(other -> Failure.plain(other + " has taken over"))
                    .orElse("its attempt.json is gone"),
                number));
  }

  private void beat() {
    try {
      while (!closed) {
        Thread.sleep(BEAT);
        pulse();
      }
    } catch (InterruptedException e) {
      // It is closed.
    }
  }

  /** Shows that the holder lives, as long as it is this one. */
  void pulse() {
    try {
      if (read(folder).filter(holder::equals).isPresent())
        Files.setLastModifiedTime(file(folder), FileTime.from(Instant.now()));
    } catch (IOException | Failure e) {
      // It may work again at the next beat; where it does not, the next write reports it.
    }
  }

  /** Gives the folder back, once. */
  @Override
  public synchronized void close() {
    if (closed) return;
    closed = true;
    heart.interrupt();
    try {
      if (read(folder).filter(holder::equals).isPresent())
        write(folder, new Holder(holder.number, 0, holder.host, holder.job, holder.folder));
    } catch (Failure failure) {
      // The lock goes all the same.
    } finally {
      close(real, channel);
    }
  }

  private static void close(Path real, FileChannel channel) {
    try {
      if (channel != null) channel.close();
    } catch (IOException e) {
      // Nothing was written through it.
    } finally {
      HELD.remove(real);
    }
  }
}
