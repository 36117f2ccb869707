package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fingerprint;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The states that a run was saved in, each a folder of its own: {@code state.json}, a safetensors
 * file for each part that has tensors, and a {@link Manifest}. A checkpoint is there whole or not
 * at all, and an older one goes only when a newer one has been read back.
 */
final class Checkpoints {
  private final RunFolder folder;
  private final int attempt;
  private final String arithmetic;
  private final Collectives all;
  private final Map<Path, Fingerprint> known = new HashMap<>(); // of files that do not change

  /**
   * @param attempt of this process
   * @param arithmetic what the bits of results depend on here
   */
  Checkpoints(RunFolder folder, int attempt, String arithmetic) {
    this(folder, attempt, arithmetic, Collectives.ALONE);
  }

  /** Of several processes, each of which has something to write. */
  Checkpoints(RunFolder folder, int attempt, String arithmetic, Collectives all) {
    this.all = all;
    this.folder = folder;
    this.attempt = attempt;
    this.arithmetic = arithmetic;
  }

  /** A checkpoint that has been verified, and what was wrong with newer ones. */
  record Found(Path path, Manifest manifest, List<String> damaged) {}

  /**
   * The newest that is as it was written; empty where there is none at all.
   *
   * @throws Damaged when there are some and none is whole
   */
  static Optional<Found> newest(RunFolder folder) {
    var damaged = new ArrayList<String>();
    for (Path checkpoint : all(folder).reversed()) {
      try {
        var manifest = Manifest.read(checkpoint);
        manifest.verify(checkpoint, folder.path());
        return Optional.of(new Found(checkpoint, manifest, damaged));
      } catch (Failure e) {
        damaged.add(e.getMessage());
      }
    }
    if (damaged.isEmpty()) return Optional.empty();
    throw new Damaged(
        Failure.data("%s: no checkpoint is whole (%s)", folder.path(), damaged.getFirst()));
  }

  /** The highest attempt that wrote one; 0: none did. */
  static int attempts(RunFolder folder) {
    int most = 0;
    for (Path checkpoint : all(folder)) {
      try {
        most = Math.max(most, Manifest.read(checkpoint).attempt());
      } catch (Failure damaged) {
        // It says nothing.
      }
    }
    return most;
  }

  /** Oldest first. */
  private static List<Path> all(RunFolder folder) {
    if (!Files.isDirectory(folder.checkpoints())) return List.of();
    return Reading.list(folder.checkpoints()).stream()
        .filter(p -> p.getFileName().toString().matches("[0-9]{6}|[1-9][0-9]{6,8}"))
        .sorted(Comparator.comparingInt(Checkpoints::number))
        .toList();
  }

  private static int number(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString());
  }

  /** Writes one, reads it back, and then deletes all but the newest {@code keep}. */
  void write(StateWriter state, int stage, int keep) {
    Disk.makeFolder(folder.checkpoints());
    List<Path> before = all(folder);
    int number = before.isEmpty() ? 1 : 1 + number(before.getLast());
    Path checkpoint = folder.checkpoints().resolve("%06d".formatted(number));
    Optional<Path> last = before.isEmpty() ? Optional.empty() : Optional.of(before.getLast());
    Disk.tree(checkpoint, part -> fill(part, state, stage, last));
    try {
      verify(checkpoint);
    } catch (Failure damaged) {
      // A file that it shares with the one before may have been damaged there: now none is shared.
      Disk.tree(checkpoint, part -> fill(part, state, stage, Optional.empty()));
      verify(checkpoint);
    }
    if (all.ranks() > 1) SharedCheckpoint.done(all);
    keep(keep);
  }

  private void verify(Path checkpoint) {
    Manifest.read(checkpoint).verify(checkpoint, folder.path());
  }

  private void fill(Path part, StateWriter state, int stage, Optional<Path> last) {
    var files = new LinkedHashMap<String, Fingerprint>();
    var reusable = last.map(Checkpoints::files).orElse(Map.of());
    state
        .tensors()
        .forEach(
            (section, tensors) -> {
              String name = StateReader.fileOf(section);
              var content = SafetensorsWriter.content(tensors);
              boolean may = state.constant(section) && reusable.containsKey(name);
              var same = may ? Fingerprint.of(content) : null;
              if (same != null && same.equals(reusable.get(name))) {
                Disk.link(last.get().resolve(name), part.resolve(name));
                files.put(name, same);
              } else {
                files.put(name, Disk.put(part.resolve(name), content));
              }
            });
    if (all.ranks() > 1) files.putAll(SharedCheckpoint.collect(all, part, attempt));
    var values = Disk.Content.of(state.values().toPrettyString() + "\n");
    files.put(StateReader.VALUES, Disk.put(part.resolve(StateReader.VALUES), values));
    var references = new LinkedHashMap<String, Fingerprint>();
    for (Path file : state.files())
      references.put(
          folder.path().relativize(file).toString(),
          known.computeIfAbsent(file, Reading::fingerprint));
    var manifest = new Manifest(attempt, stage, arithmetic, files, references);
    Disk.put(part.resolve(Manifest.FILE), Disk.Content.of(manifest.text()));
  }

  private static Map<String, Fingerprint> files(Path checkpoint) {
    try {
      return Manifest.read(checkpoint).files();
    } catch (Failure damaged) {
      return Map.of();
    }
  }

  /**
   * Deletes all but the newest, and what methods kept for a stage alone and no checkpoint needs any
   * more.
   */
  void keep(int newest) {
    List<Path> all = all(folder);
    for (Path old : all.subList(0, Math.max(0, all.size() - newest))) Disk.delete(old);
    int stage = 0;
    Set<Path> needed = new HashSet<>();
    for (Path checkpoint : all(folder)) {
      try {
        var manifest = Manifest.read(checkpoint);
        stage = manifest.stage();
        for (String path : manifest.references().keySet()) needed.add(folder.path().resolve(path));
      } catch (Failure unknown) {
        return; // what it needs cannot be told
      }
    }
    for (int s = 0; s < stage; s++) {
      for (Path temporary : List.of(folder.previous(s), folder.recorded(s), folder.best(s))) {
        boolean unused = needed.stream().noneMatch(p -> p.startsWith(temporary));
        if (unused && Files.exists(temporary)) Disk.delete(temporary);
      }
    }
    superseded(folder.best(stage), needed);
  }

  /**
   * Deletes epochs' weights older than all that a checkpoint tells of; a newer one may be what the
   * next checkpoint will tell of.
   */
  private static void superseded(Path best, Set<Path> needed) {
    var kept = needed.stream().filter(p -> p.startsWith(best)).min(Comparator.naturalOrder());
    if (kept.isEmpty()) return;
    for (Path epoch : Reading.list(best))
      if (whole(epoch) && epoch.compareTo(kept.get()) < 0) Disk.delete(epoch);
  }

  /** Whether it is none that is just being written. */
  private static boolean whole(Path file) {
    return !file.getFileName().toString().startsWith(".");
  }

  /**
   * The same when the run is at its end, and takes folders away that nothing is left in: before, a
   * method may be about to write there.
   */
  void finish(int newest) {
    keep(newest);
    for (Path temporary : List.of(folder.previous(0), folder.recorded(0), folder.best(0))) {
      Path parent = temporary.getParent();
      if (Files.exists(parent) && Reading.list(parent).isEmpty()) Disk.delete(parent);
    }
  }
}
