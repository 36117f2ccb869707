package dev.seekr.run;

import dev.seekr.disk.Attempt;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fingerprint;
import dev.seekr.distributed.Bytes;
import dev.seekr.distributed.Collectives;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.trainer.Keeper;
import dev.seekr.trainer.Learner;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint that all processes write, since each holds a part of the optimizer. The first one
 * says where, each puts its file there, and the first one writes the manifest of all, last.
 */
final class SharedCheckpoint {
  private SharedCheckpoint() {}

  /**
   * In the first process: has the others put their files into a folder; what they have put there.
   */
  static Map<String, Fingerprint> collect(Collectives all, Path folder, int attempt) {
    all.gather((attempt + " " + folder).getBytes(StandardCharsets.UTF_8));
    var files = new LinkedHashMap<String, Fingerprint>();
    for (byte[] of : all.gather(new byte[0])) {
      var words = Bytes.split(of).stream().map(b -> new String(b, StandardCharsets.UTF_8)).toList();
      for (int i = 0; i < words.size(); i += 3)
        files.put(
            words.get(i), new Fingerprint(Long.parseLong(words.get(i + 1)), words.get(i + 2)));
    }
    return files;
  }

  /** In the first process: that is all. */
  static void done(Collectives all) {
    all.gather(new byte[0]);
  }

  /** What another process than the first does when a checkpoint is due. */
  record Companion(Collectives all, Path run) implements Keeper {
    @Override
    public void between(dev.seekr.state.Stateful state, boolean stageEnds) {
      if (all.any(false)) save(state);
    }

    @Override
    public void save(dev.seekr.state.Stateful state) {
      var writer = new StateWriter();
      state.save(writer);
      while (true) {
        String asked = new String(all.gather(new byte[0])[0], StandardCharsets.UTF_8);
        if (asked.isEmpty()) return;
        String[] words = asked.split(" ", 2);
        Attempt.require(run, Integer.parseInt(words[0]));
        all.gather(Bytes.join(put(writer, Path.of(words[1]))));
      }
    }

    private List<byte[]> put(StateWriter state, Path folder) {
      var put = new ArrayList<byte[]>();
      state
          .tensors()
          .forEach(
              (section, tensors) -> {
                if (!Learner.own(section, all)) return;
                String name = StateReader.fileOf(section);
                var content = SafetensorsWriter.content(tensors);
                var written = Disk.put(folder.resolve(name), content);
                for (String word : List.of(name, "" + written.size(), written.sha256()))
                  put.add(word.getBytes(StandardCharsets.UTF_8));
              });
      return put;
    }
  }
}
