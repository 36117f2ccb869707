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

  /** Folders this very process has: closing a second channel to a lock would give up the first. */
  private static final Map<Path, Optional<Attempt>> HELD = new ConcurrentHashMap<>();

  private final Path folder;
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

  private Attempt(Path folder, Holder holder, FileChannel channel) {
    this.folder = folder;
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
    Path real = folder.toAbsolutePath().normalize();
    Optional<Holder> before = read(folder);
    if (HELD.putIfAbsent(real, Optional.empty()) != null) throw inUse(folder, before);
    FileChannel channel = null;
    try {
      channel = Disk.open(folder.resolve("lock"), CREATE, WRITE);
      if (others(channel, before, folder)) throw inUse(folder, before);
      String here = Path.of("").toAbsolutePath().toString();
      int number = Math.max(least, before.map(Holder::number).orElse(0) + 1);
      var me = Holder.me(number, before.map(Holder::folder).orElse(here));
      write(folder, me);
      var attempt = new Attempt(real, me, channel);
      HELD.put(real, Optional.of(attempt));
      return attempt;
    } catch (IOException e) {
      close(real, channel);
      throw new Failure(
          Exit.CREATE, folder.resolve("lock") + ": cannot be made: " + Reading.reason(e), e);
    } catch (Failure failure) {
      close(real, channel);
      throw failure;
    }
  }

  private static Failure inUse(Path folder, Optional<Holder> by) {
    return new Failure(
        Exit.CREATE,
        "%s is in use by %s; wait for it, or stop it"
            .formatted(folder, by.map(Holder::toString).orElse("another process")));
  }

  /** Whether another process has the folder. */
  private static boolean others(FileChannel channel, Optional<Holder> before, Path folder)
      throws IOException {
    boolean locks = true;
    try {
      if (channel.tryLock() == null) return true;
    } catch (IOException e) {
      locks = false; // this file system has none: attempt.json alone tells
    }
    return before.isPresent() && lives(before.get(), folder, locks);
  }

  /** Of a holder that has no lock that could be seen here. */
  private static boolean lives(Holder other, Path folder, boolean locks) throws IOException {
    var me = Holder.me(0, "");
    if (other.pid == 0) return false;
    if (other.host.equals(me.host)) return !locks && ProcessHandle.of(other.pid).isPresent();
    if (!other.job.isEmpty() && other.job.equals(me.job)) return false;
    Instant beat = Files.getLastModifiedTime(folder.resolve("attempt.json")).toInstant();
    return Duration.between(beat, Instant.now()).compareTo(SILENCE) < 0;
  }

  /** Who has, or had, the folder; empty where nobody did, or it cannot be told. */
  private static Optional<Holder> read(Path folder) {
    Path file = folder.resolve("attempt.json");
    if (!Files.exists(file)) return Optional.empty();
    try {
      var fields = Fields.read(file);
      return Optional.of(
          new Holder(
              fields.whole("attempt", 0, Integer.MAX_VALUE),
              fields.longWhole("pid"),
              fields.text("host"),
              fields.text("job"),
              fields.text("folder")));
    } catch (Failure e) {
      if (e.exit == Exit.DATA) return Optional.empty(); // torn
      throw new Failure(Exit.IO, e.getMessage(), e);
    }
  }

  private static void write(Path folder, Holder holder) {
    var json = JSON.createObjectNode();
    json.put("attempt", holder.number).put("pid", holder.pid).put("host", holder.host);
    json.put("job", holder.job).put("folder", holder.folder);
    Disk.write(folder.resolve("attempt.json"), json + "\n");
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
    HELD.forEach(
        (folder, attempt) -> {
          if (attempt.isPresent() && absolute.startsWith(folder)) attempt.get().check();
        });
  }

  private void check() {
    Optional<Holder> now = read(folder);
    if (now.isPresent() && now.get().equals(holder)) return;
    throw new Failure(
        Exit.CREATE,
        "%s: %s; this process (attempt %d) writes no more"
            .formatted(
                folder,
                now.map(other -> other + " has taken over").orElse("its attempt.json is gone"),
                holder.number));
  }

  private void beat() {
    try {
      while (!closed) {
        Thread.sleep(BEAT);
        Files.setLastModifiedTime(folder.resolve("attempt.json"), FileTime.from(Instant.now()));
      }
    } catch (InterruptedException | IOException e) {
      // It is closed; or the folder is gone, which the next write reports.
    }
  }

  /** Gives the folder back. */
  @Override
  public void close() {
    closed = true;
    heart.interrupt();
    try {
      if (read(folder).filter(holder::equals).isPresent())
        write(folder, new Holder(holder.number, 0, holder.host, holder.job, holder.folder));
    } catch (Failure failure) {
      // The lock goes all the same.
    } finally {
      close(folder, channel);
    }
  }

  private static void close(Path folder, FileChannel channel) {
    HELD.remove(folder);
    try {
      if (channel != null) channel.close();
    } catch (IOException e) {
      // Nothing was written through it.
    }
  }
}
