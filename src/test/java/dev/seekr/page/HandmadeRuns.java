package dev.seekr.page;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Folders of runs over two tasks, made without training. */
final class HandmadeRuns {
  /** Steps of each task. */
  static final int STEPS = 300;

  private HandmadeRuns() {}

  /** A finished run: 80 on the first task when it is learnt, {@code end} on both at the end. */
  static Path run(Path folder, String name, double end, String... settings) {
    try {
      Path run = Files.createDirectories(folder.resolve(name));
      var all =
          new ArrayList<>(
              List.of("model.path=m", "data.root=d", "data.tasks=[<a>&, b]", "run.out=x"));
      all.addAll(List.of(settings));
      Files.writeString(
          run.resolve("config.yaml"), ConfigWriter.write(ConfigReader.parse("", "test", all)));
      Files.writeString(run.resolve("log.jsonl"), log(end));
      var scores = new ScoreMatrix(List.of("<a>&", "b"));
      scores.set(0, 0, 80);
      scores.set(0, 1, end);
      scores.set(1, 1, end);
      Files.writeString(run.resolve("scores.json"), ScoreFiles.json(scores));
      answers(run);
      return run;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String log(double end) {
    var log =
        new StringBuilder("{\"event\":\"run\",\"tasks\":[\"<a>&\",\"b\"],\"backend\":\"cpu\"}\n");
    for (String task : List.of("<a>&", "b")) {
      for (int s = 1; s <= STEPS; s++)
        log.append(
            String.format(
                Locale.ROOT,
                "{\"event\":\"step\",\"task\":\"%s\",\"step\":%d,\"loss\":%f,\"losses\":{\"task\":%f%s},\"lr\":1e-4,\"grad_norm\":%s,\"tokens\":100,\"seconds\":0.5}%n",
                task,
                s,
                2.0 / s,
                2.0 / s,
                task.equals("b") && s % 3 == 0 ? ",\"replay\":0.5" : "",
                s == 7 ? "\"NaN\"" : "1.5"));
      log.append(
          "{\"event\":\"evaluation\",\"after\":\"%s\",\"task\":\"<a>&\",\"score\":1}\n"
              .formatted(task));
    }
    return log
        + String.format(
            Locale.ROOT,
            "{\"event\":\"end\",\"op\":%f,\"seconds\":%f,\"peak_rss_bytes\":104857600,\"stored_bytes\":1048576,\"memory\":{\"weights\":2097152}}%n",
            end,
            end);
  }

  private static void answers(Path run) throws IOException {
    for (int stage = 1; stage <= 2; stage++) {
      Path folder = Files.createDirectories(run.resolve("predictions/0" + stage));
      var lines = new StringBuilder();
      for (int i = 0; i < 9; i++)
        lines.append(
            "{\"prompt\":\"secret <b>%d\",\"answer\":\"yes\",\"prediction\":\"%s\",\"score\":%d}\n"
                .formatted(i, stage == 1 ? "yes" : "<script>no", stage == 1 || i < 2 ? 1 : 0));
      Files.writeString(folder.resolve("<a>&.jsonl"), lines);
    }
  }
}
