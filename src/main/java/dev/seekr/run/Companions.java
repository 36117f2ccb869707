package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.config.RunSettings;
import dev.seekr.distributed.Bytes;
import dev.seekr.distributed.Collectives;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the processes of a run must have in common before it begins: settings, samples and
 * arithmetic, since each computes what all others are thought to compute too.
 */
record Companions(Collectives all) {
  /**
   * Throws Failure (78) everywhere, naming the keys, where some process was given other settings.
   */
  void sameSettings(RunConfig config) {
    String[] texts = told(ConfigWriter.write(config));
    all.agree(
        () -> {
          if (texts[all.rank()].equals(texts[0])) return null;
          var first = ConfigReader.parse(texts[0], "settings of process 0", List.of());
          var other = config.allDifferences(first).stream().map(Object::toString).toList();
          if (other.isEmpty()) return null;
          throw Failure.config(
              "has other settings than process 0: %s; start all with the same command line",
              String.join("; ", other));
        });
  }

  /** Throws Failure (78) everywhere where a process found other samples or questions. */
  void sameData(String fingerprints) {
    String[] texts = told(fingerprints);
    all.agree(
        () -> {
          if (texts[all.rank()].equals(texts[0])) return null;
          throw Failure.config(
              "reads other samples or questions than process 0; data.root and eval.general.root must be the same folders for all");
        });
  }

  /** Throws Failure (78) everywhere where the bits of what is computed differ. */
  void sameArithmetic(String arithmetic) {
    String[] texts = told(arithmetic);
    all.agree(
        () -> {
          if (texts[all.rank()].equals(texts[0])) return null;
          throw Failure.config(
              "computes by %s, process 0 by %s: weights would drift apart; choose nodes of one kind",
              arithmetic, texts[0]);
        });
  }

  /** What the first process says, everywhere. */
  List<String> ofFirst(List<String> words) {
    var mine = all.first() ? words.stream().map(w -> w.getBytes(StandardCharsets.UTF_8)) : null;
    byte[][] said = all.gather(Bytes.join(mine == null ? List.of() : mine.toList()));
    return Bytes.split(said[0]).stream().map(b -> new String(b, StandardCharsets.UTF_8)).toList();
  }

  private String[] told(String text) {
    return Stream.of(all.gather(text.getBytes(StandardCharsets.UTF_8)))
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
        .toArray(String[]::new);
  }

  /**
   * Where nothing is said of threads, each process takes its share of the machine's CPUs, or those
   * that it has been bound to.
   */
  RunSettings shared(RunSettings run) {
    if (all.ranks() == 1 || run.threads() > 0) return run;
    return run.computedBy(run.backend(), run.dtype(), threads(), run.isa());
  }

  private int threads() {
    String[] hosts = told(host());
    long here = Stream.of(hosts).filter(hosts[all.rank()]::equals).count();
    int mine = Runtime.getRuntime().availableProcessors();
    return (int) Math.max(1, Math.min(mine, online(mine) / here));
  }

  private static int online(int otherwise) {
    try {
      String ranges = Files.readString(Path.of("/sys/devices/system/cpu/online")).strip();
      return Stream.of(ranges.split(","))
          .map(range -> range.split("-"))
          .collect(
              Collectors.summingInt(
                  r -> Integer.parseInt(r[r.length - 1]) - Integer.parseInt(r[0]) + 1));
    } catch (IOException | NumberFormatException e) {
      return otherwise;
    }
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
