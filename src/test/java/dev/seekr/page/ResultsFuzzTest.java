package dev.seekr.page;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The log of a run that may be finished, beside its scores: a row of a table, or no run. */
class ResultsFuzzTest extends FuzzTarget {
  ResultsFuzzTest() {
    super("log.jsonl", Exit.DATA);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    var scores = new ScoreMatrix(List.of("a"));
    scores.set(0, 0, 50);
    Files.writeString(folder.resolve("scores.json"), ScoreFiles.json(scores));
    var settings = List.of("model.path=m", "data.root=d", "data.tasks=[a]", "run.out=x");
    Files.writeString(
        folder.resolve("config.yaml"),
        ConfigWriter.write(ConfigReader.parse("", "test", settings)));
    return super.write(folder, input);
  }

  @Override
  protected Object read(Path file) {
    var record = RunRecord.read(file.getParent());
    if (!record.finished()) throw Failure.data("%s: is not finished", file);
    var results = Results.of(List.of(record));
    sound(results.rows().size() == 1, results.rows().size() + " rows");
    sound(results.text().lines().count() == 3, results.text());
    sound(results.csv().lines().count() == 2, results.csv());
    for (String text : List.of(results.csv(), results.latex(), results.html()))
      sound(!text.contains("NaN") && !text.contains("Infinity"), text);
    return results.csv();
  }
}
