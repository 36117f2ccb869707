package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every method over three tasks against runs that torch made in float64: 23 cases, with weights by
 * kind and as the authors have them. Of a step all loss terms and the norm, after the last task all
 * that is trained.
 */
class MethodsCheckTest {
  private static final Path FOLDER = Path.of("src/test/resources/methods");
  private static final int QUANTITIES = 2000;

  @TempDir Path folder;

  private static void assertAll(Checks checks) {
    assertThat(checks.all()).allMatch(Checks.Check::passed).hasSizeGreaterThan(QUANTITIES);
    for (String name : MethodCases.of(hyper()).keySet())
      assertThat(checks.all()).as(name).anyMatch(c -> c.quantity().startsWith(name + "."));
  }

  private static dev.seekr.disk.Fields hyper() {
    return dev.seekr.disk.Fields.read(FOLDER.resolve("plan.json")).section("hyper");
  }

  @Test
  void kernels() {
    try (Ops ops = TinyModel.cpu()) {
      assertAll(Golden.verify(FOLDER, ops, true));
    }
  }

  @Test
  void reference() {
    try (Ops ops = new ReferenceOps(DType.F32)) {
      assertAll(Golden.verify(FOLDER, ops, false));
    }
  }

  /** Another constant is noticed, in a case that it is a constant of. */
  @Test
  void lookAlikesAreMissed() throws IOException {
    for (String constant :
        List.of("derpp_alpha", "ewc_lambda", "lwf_lambda", "olora_lambda", "lambda2", "lfpt5_kl")) {
      Path other = Files.createDirectories(folder.resolve(constant));
      for (String file : List.of("config.json", "init.safetensors", "start.safetensors"))
        Files.copy(FOLDER.resolve(file), other.resolve(file));
      String plan = Files.readString(FOLDER.resolve("plan.json"));
      var number = Pattern.compile("(?<=\"" + constant + "\":)[0-9.]+").matcher(plan);
      String changed =
          number.replaceFirst(m -> String.valueOf(1.05 * Double.parseDouble(m.group())));
      assertThat(changed).isNotEqualTo(plan);
      Files.writeString(other.resolve("plan.json"), changed);
      String name =
          switch (constant) {
            case "derpp_alpha" -> "derpp-kl";
            case "ewc_lambda" -> "ewc";
            case "lwf_lambda" -> "lwf";
            case "olora_lambda" -> "olora-abs";
            case "lambda2" -> "seekr-paper";
            default -> "lfpt5";
          };
      Path at = Files.createDirectories(other.resolve(name));
      for (String file : List.of("expected.json", "expected.safetensors"))
        Files.copy(FOLDER.resolve(name).resolve(file), at.resolve(file));
      try (Ops ops = TinyModel.cpu()) {
        var checks = Golden.verify(other, ops, false);
        assertThat(checks.missed()).as(constant).isGreaterThan(5);
        assertThat(checks.all()).as("numbers").allMatch(c -> !Double.isNaN(c.error()));
      }
    }
  }
}
