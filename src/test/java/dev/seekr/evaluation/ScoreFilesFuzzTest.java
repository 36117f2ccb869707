package dev.seekr.evaluation;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Scores are finite, and are written so that they are read again. */
class ScoreFilesFuzzTest extends FuzzTarget {
  ScoreFilesFuzzTest() {
    super("scores.json", Exit.DATA);
  }

  @Override
  protected Object read(Path file) throws IOException {
    ScoreMatrix scores = ScoreFiles.loadJson(file);
    int n = scores.tasks().size();
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        sound(Double.isFinite(scores.get(i, j).orElse(0)), "" + scores.get(i, j));
    sound(scores.trained() <= n, scores.trained() + " trained");
    String written = ScoreFiles.json(scores);
    Path again = Files.writeString(file.resolveSibling("again.json"), written);
    sound(ScoreFiles.json(ScoreFiles.loadJson(again)).equals(written), written);
    return written;
  }
}
