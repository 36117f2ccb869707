package dev.seekr.cli;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The log of a run that may be finished, beside its scores: a row of a table, or no run. */
class ComparisonFuzzTest extends FuzzTarget {
  ComparisonFuzzTest() {
    super("log.jsonl", Exit.DATA);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    var scores = new ScoreMatrix(List.of("a"));
    scores.set(0, 0, 50);
    Files.writeString(folder.resolve("scores.json"), ScoreFiles.json(scores));
    return super.write(folder, input);
  }

  @Override
  protected Object read(Path file) {
    var comparison = Comparison.of(List.of(file.getParent()));
    sound(comparison.methods().size() == 1, comparison.methods().size() + " rows");
    sound(comparison.text().lines().count() == 3, comparison.text());
    sound(comparison.csv().lines().count() == 2, comparison.csv());
    for (String text : List.of(comparison.csv(), comparison.latex()))
      sound(!text.contains("NaN") && !text.contains("Infinity"), text);
    return comparison.csv();
  }
}
