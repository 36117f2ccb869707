package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.report.RunLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/** What is in the folder that a run is to be written to. */
enum Standing {
  /** Nothing, or no folder at all. */
  NOTHING,
  UNFINISHED,
  FINISHED;

  /** What a process leaves in a folder before it has begun a run there. */
  private static final Set<String> BEFORE = Set.of("lock", "attempt.json");

  /**
   * @throws Failure config (78) where there is a run of other settings, naming the keys
   * @throws Damaged where there is something else (78), or a run's settings are damaged (65)
   */
  static Standing of(RunFolder folder, RunConfig config) {
    if (!somethingIn(folder.path())) return NOTHING;
    if (!Files.exists(folder.config()))
      throw new Damaged(
          Failure.Exit.CONFIG,
          folder.path()
              + ": is not empty and holds no run; choose another run.out, or empty it first");
    var differences = config.differences(settings(folder));
    if (!differences.isEmpty()) {
      String keys = String.join("; ", differences.stream().map(Object::toString).toList());
      throw Failure.config(
          "%s: holds a run of other settings: %s; choose another folder for this one, or begin anew with train --fresh",
          folder.path(), keys);
    }
    return finished(folder) ? FINISHED : UNFINISHED;
  }

  /** Throws Failure (78) where it is a file. */
  static boolean somethingIn(Path folder) {
    if (!Files.exists(folder)) return false;
    if (!Files.isDirectory(folder))
      throw Failure.config("%s: is a file; run.out names a folder to make", folder);
    List<Path> all = Reading.list(folder);
    return all.stream().anyMatch(p -> !BEFORE.contains(p.getFileName().toString()));
  }

  /**
   * What a new run needs must not go when the one in the folder is put aside.
   *
   * @throws Failure config (78) where the folder holds no run, or what is to be read
   */
  static void requireRunAlone(RunFolder folder, RunConfig config) {
    Path path = folder.path();
    if (!Files.exists(folder.config()) && !Files.exists(folder.log()))
      throw Failure.config(
          "%s: holds no run that could be put aside; choose another run.out, or empty it first",
          path);
    for (String read : reads(config))
      if (Reading.real(Path.of(read)).startsWith(path.toAbsolutePath().normalize()))
        throw Failure.config(
            "%s: holds %s, which a run begun anew could not read; choose another run.out",
            path, read);
  }

  private static List<String> reads(RunConfig config) {
    return Stream.of(
            config.model().path(),
            config.data().root(),
            config.data().general(),
            config.eval().general().root(),
            ".")
        .filter(Objects::nonNull)
        .toList();
  }

  /** Of the run in a folder. */
  static RunConfig settings(RunFolder folder) {
    return settings(folder, (text, name) -> ConfigReader.parse(text, name, List.of()));
  }

  /** The same without keys of other versions. */
  static RunConfig recorded(RunFolder folder) {
    return settings(folder, ConfigReader::recorded);
  }

  private static RunConfig settings(
      RunFolder folder, BiFunction<String, String, RunConfig> reader) {
    try {
      var config = reader.apply(Reading.text(folder.config()), folder.config().toString());
      if (config.model().path() != null) return config;
    } catch (Failure notSettings) {
      if (notSettings.exit == Failure.Exit.INPUT) throw notSettings;
    }
    throw new Damaged(
        Failure.Exit.DATA,
        folder.config()
            + ": is damaged: expected the settings of a run; begin anew with train --fresh");
  }

  /** Whether the run's end is logged and its scores can be read. */
  static boolean finished(RunFolder folder) {
    try {
      var events = RunLog.read(folder.log());
      if (events.isEmpty() || !events.getLast().path("event").textValue().equals("end"))
        return false;
      ScoreFiles.loadJson(folder.scoresJson());
      return true;
    } catch (Failure notThere) {
      return false;
    }
  }
}
