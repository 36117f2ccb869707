package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches of two rows of four tokens, of a vocabulary of ten. */
class GoldenCaseTest {
  private static final int[] IDS = {0, 5, 6, 7, 1, 2, 3, 9}, MASK = {0, 1, 1, 1, 1, 1, 1, 1};
  private static final int[] LABELS = {-100, -100, 6, 7, -100, -100, -100, 9};

  @TempDir Path folder;

  private GoldenCase read(int[] ids, int[] mask, int[] labels) {
    return read(
        Map.of(
            "x.input_ids", Tensor.of(ids, 2, 4),
            "x.attention_mask", Tensor.of(mask, 2, 4),
            "x.labels", Tensor.of(labels, 2, 4)));
  }

  private GoldenCase read(Map<String, Tensor> tensors) {
    Path file = folder.resolve("batch.safetensors");
    Disk.write(file, SafetensorsWriter.content(tensors));
    try (var source = Safetensors.open(file)) {
      return GoldenCase.read(source, "x.", 10);
    }
  }

  private static int[] with(int[] values, int... changes) {
    int[] copy = values.clone();
    for (int i = 0; i < changes.length; i += 2) copy[changes[i]] = changes[i + 1];
    return copy;
  }

  private void fails(int[] ids, int[] mask, int[] labels, String message) {
    var failure = catchThrowableOfType(Failure.class, () -> read(ids, mask, labels));
    assertThat(failure)
        .hasMessage("%s: x.batch row %s", folder.resolve("batch.safetensors"), message);
    assertThat(failure.exit.code).isEqualTo(65);
  }

  @Test
  void paddingIsTakenAway() {
    var golden = read(IDS, MASK, LABELS);
    assertThat(golden.width()).isEqualTo(4);
    assertThat(golden.samples().getFirst().tokens()).containsExactly(5, 6, 7);
    assertThat(golden.samples().getFirst().answerStart()).isEqualTo(1);
    assertThat(golden.samples().get(1).tokens()).containsExactly(1, 2, 3, 9);
    assertThat(golden.samples().get(1).answerStart()).isEqualTo(3);
  }

  @Test
  void batchesThatAreNone() {
    String suffix = ": expected padding on the left and labels that are the last tokens";
    fails(with(IDS, 6, 10), MASK, LABELS, "1: expected tokens below 10, found 10");
    fails(with(IDS, 1, -1), MASK, LABELS, "0: expected tokens below 10, found -1");
    fails(IDS, with(MASK, 3, 0), LABELS, "0" + suffix);
    fails(IDS, with(MASK, 2, 7), LABELS, "0" + suffix);
    fails(IDS, MASK, with(LABELS, 3, -100), "0" + suffix);
    fails(IDS, MASK, with(LABELS, 7, 8), "1" + suffix);
    String both = ": expected a prompt and an answer, found ";
    fails(IDS, MASK, with(LABELS, 1, 5), "0" + both + "0 and 3 tokens");
    fails(IDS, MASK, with(LABELS, 7, -100), "1" + both + "4 and 0 tokens");
    int[] masked = with(MASK, 4, 0, 5, 0, 6, 0, 7, 0);
    fails(IDS, masked, LABELS, "1" + both + "0 and 0 tokens");
  }

  /** Tensors that do not go together are named. */
  @Test
  void otherShapes() {
    Tensor ids = Tensor.of(IDS, 2, 4), flat = Tensor.of(IDS, 8), half = Tensor.of(new int[4], 1, 4);
    for (String name : new String[] {"input_ids", "attention_mask", "labels"}) {
      for (Tensor wrong : new Tensor[] {flat, half}) {
        var tensors =
            new java.util.HashMap<>(
                Map.of("x.input_ids", ids, "x.attention_mask", ids, "x.labels", ids));
        tensors.put("x." + name, wrong);
        var failure = catchThrowableOfType(Failure.class, () -> read(tensors));
        assertThat(failure).as(name + " " + wrong).isNotNull();
        assertThat(failure.exit.code).isEqualTo(65);
        assertThat(failure.getMessage()).hasLineCount(1).contains("x.");
      }
      var missing =
          new java.util.HashMap<>(
              Map.of("x.input_ids", ids, "x.attention_mask", ids, "x.labels", ids));
      missing.remove("x." + name);
      var failure = catchThrowableOfType(Failure.class, () -> read(missing));
      assertThat(failure.exit.code).isEqualTo(65);
      assertThat(failure.getMessage()).contains("no tensor 'x." + name + "'");
    }
  }
}
