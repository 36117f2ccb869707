package dev.seekr.verify;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.TinyModel;
import dev.seekr.safetensors.Safetensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The batch of a reference folder: samples, their query rows, and heads of the model. */
class GoldenCaseFuzzTest extends FuzzTarget {
  private static final LlamaConfig SHAPE = TinyModel.config();

  GoldenCaseFuzzTest() {
    super("batch.safetensors", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    try (var source = Safetensors.open(file)) {
      var golden = GoldenCase.read(source, "", SHAPE.V());
      var queries = golden.queries(source, "queries");
      for (int b = 0; b < queries.size(); b++)
        for (int row : queries.get(b).pos())
          sound(row >= 0 && row < golden.samples().get(b).length(), "row " + row);
      int[][] heads = GoldenCase.heads(source, "selected_heads", SHAPE);
      sound(heads.length == SHAPE.L(), heads.length + " layers");
      for (int[] layer : heads)
        for (int h : layer) sound(h >= 0 && h < SHAPE.heads().NH(), "head " + h);
      var rows = queries.stream().map(q -> Arrays.toString(q.pos())).toList();
      return List.of(golden.samples(), rows, Arrays.deepToString(heads));
    }
  }
}
