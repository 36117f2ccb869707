package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.Reduction;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.disk.Fields;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every method over three tasks against runs that torch made in float64, with weights by kind and
 * as the authors have them: all that the folder expects of losses, gradients, what is trained, kept
 * and chosen.
 */
class MethodsCheckTest {
  private static final Path FOLDER = Path.of("src/test/resources/methods");
  private static final int QUANTITIES = 5000;
  private static final List<String> FILES =
      List.of("config.json", "init.safetensors", "start.safetensors", "plan.json");

  @TempDir Path folder;

  private static void assertAll(Checks checks) {
    assertThat(checks.all()).allMatch(Checks.Check::passed).hasSizeGreaterThan(QUANTITIES);
    for (String name : MethodCases.of(hyper()).keySet())
      assertThat(checks.all()).as(name).anyMatch(c -> c.quantity().startsWith(name + "."));
  }

  private static Fields hyper() {
    return Fields.read(FOLDER.resolve("plan.json")).section("hyper");
  }

  /** A folder of some of the cases. */
  private Path only(String name, String... cases) throws IOException {
    Path some = Files.createDirectories(folder.resolve(name));
    for (String file : FILES) Files.copy(FOLDER.resolve(file), some.resolve(file));
    for (String each : cases) {
      Path at = Files.createDirectories(some.resolve(each));
      for (String file : List.of("expected.json", "expected.safetensors"))
        Files.copy(FOLDER.resolve(each).resolve(file), at.resolve(file));
    }
    return some;
  }

  @Test
  void kernels() {
    try (Ops ops = TinyModel.cpu()) {
      assertAll(Golden.verify(FOLDER, ops, Recompute.layers));
    }
  }

  /** In double precision the stated tolerances hold as they are. */
  @Test
  void reference() {
    try (Ops ops = new ReferenceOps(DType.F64)) {
      assertAll(Golden.verify(FOLDER, ops, Recompute.none));
    }
  }

  /** Methods that have kernels of their own, and adapters, on the emulated device. */
  @Test
  void device() {
    try (Ops ops = Backends.open(ConfigReader.read(List.of(), List.of("run.backend=cuda")).run())) {
      for (String name : List.of("seekr-paper", "derpp-kl", "ewc", "lora"))
        assertThat(MethodsCheck.verify(FOLDER, ops, name, Reduction.by_kind).all())
            .as(name)
            .allMatch(Checks.Check::passed)
            .hasSizeGreaterThan(100);
    }
  }

  /** A step, a term, a choice and a tensor that the program does not have are each a miss. */
  @Test
  void whatIsNotComparedIsMissed() throws IOException {
    Path other = only("more", "seqft", "replay");
    Path json = other.resolve("seqft/expected.json");
    String text = Files.readString(json);
    String step = "{\"task\":7,\"step\":0,\"total\":1}";
    String more =
        "\"by_kind\":{\"task0.heads\":[[0,1]],\"float32_needs\":1,\"steps\":[" + step + ",";
    String changed =
        text.replaceFirst("\"by_kind\":\\{\"float32_needs\":[0-9.]+,\"steps\":\\[", more);
    assertThat(changed).isNotEqualTo(text);
    Files.writeString(json, changed);
    Files.copy(
        FOLDER.resolve("ewc/expected.safetensors"),
        other.resolve("replay/expected.safetensors"),
        StandardCopyOption.REPLACE_EXISTING);
    try (Ops ops = TinyModel.cpu()) {
      var missed =
          Golden.verify(other, ops, Recompute.none).all().stream()
              .filter(c -> c.quantity().endsWith(" is not compared"))
              .map(Checks.Check::quantity)
              .toList();
      assertThat(missed)
          .contains(
              "seqft.by_kind.task0.heads is not compared",
              "seqft.by_kind.task7.step0.total is not compared",
              "replay.by_kind.task1.fisher.model.norm.weight is not compared")
          .hasSize(2 + 29);
    }
  }

  /** Another constant is noticed, in a case that it is a constant of. */
  @Test
  void lookAlikesAreMissed() throws IOException {
    for (String constant :
        List.of("derpp_alpha", "ewc_lambda", "lwf_lambda", "olora_lambda", "lambda2", "lfpt5_kl")) {
      String name =
          switch (constant) {
            case "derpp_alpha" -> "derpp-kl";
            case "ewc_lambda" -> "ewc";
            case "lwf_lambda" -> "lwf";
            case "olora_lambda" -> "olora-abs";
            case "lambda2" -> "seekr-paper";
            default -> "lfpt5";
          };
      Path other = only(constant, name);
      String plan = Files.readString(FOLDER.resolve("plan.json"));
      var number = Pattern.compile("(?<=\"" + constant + "\":)[0-9.]+").matcher(plan);
      String changed =
          number.replaceFirst(m -> String.valueOf(1.05 * Double.parseDouble(m.group())));
      assertThat(changed).isNotEqualTo(plan);
      Files.writeString(other.resolve("plan.json"), changed);
      try (Ops ops = TinyModel.cpu()) {
        var checks = Golden.verify(other, ops, Recompute.none);
        assertThat(checks.missed()).as(constant).isGreaterThan(5);
        assertThat(checks.all()).as("numbers").allMatch(c -> !Double.isNaN(c.error()));
      }
    }
  }
}
