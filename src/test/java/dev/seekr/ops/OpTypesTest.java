package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every argument of every operation, given as a tensor of every type that it may not be of. */
class OpTypesTest {
  /** No arguments, but what an operation returns; and members of sampled rows it does not use. */
  private static final Set<String> UNUSED =
      Set.of(
          "dot sum",
          "sumSquares sum",
          "anchor penalty",
          "attentionCapture weight",
          "attentionDifference heads",
          "attentionDifference p");

  private static Ops open(String library, DType element) {
    return switch (library) {
      case "cpu" -> Kernels.open(element, "auto", 1, "auto");
      case "cuda" -> CudaOps.open(element);
      default -> new ReferenceOps(element);
    };
  }

  /** One case of each operation with each set of arguments. */
  private static List<OpCase> cases(Ops ops) {
    DType element = ops.dtype() == DType.F64 ? DType.F32 : ops.dtype();
    Map<String, OpCase> cases = new LinkedHashMap<>();
    for (OpCase c : OpCases.all(element, 1)) cases.putIfAbsent(c.signature(), c);
    return List.copyOf(cases.values());
  }

  /**
   * Types that will do. Products and zeros may be of E or F32, logits stored as F16 or F32, what is
   * rounded or squared is of BF16 too.
   */
  private static Set<DType> right(Ops ops, OpCase c, String slot, DType type) {
    return switch (c.operation() + " " + slot) {
      case "matmul y", "zero x" -> EnumSet.of(ops.dtype(), ops.wide());
      case "adamw rounded" -> EnumSet.of(ops.dtype(), DType.BF16);
      case "sumSquares x" -> EnumSet.of(ops.wide(), DType.BF16);
      case "loss teacher" -> EnumSet.of(DType.F16, DType.F32);
      default -> EnumSet.of(type);
    };
  }

  @ParameterizedTest
  @CsvSource({
    "cpu, F32",
    "cpu, BF16",
    "cuda, F32",
    "cuda, BF16",
    "cuda, F16",
    "reference, F32",
    "reference, BF16",
    "reference, F64"
  })
  void aTypeThatDoesNotFitIsNamed(String library, DType element) {
    List<String> wrong = new ArrayList<>();
    int arguments = 0;
    try (Ops ops = open(library, element)) {
      for (OpCase c : cases(ops)) {
        for (var slot : c.types(ops).entrySet()) {
          String name = slot.getKey();
          if (UNUSED.contains(c.operation() + " " + name)) continue;
          arguments++;
          Set<DType> right = right(ops, c, name, slot.getValue());
          for (DType type : DType.values()) {
            if (right.contains(type)) continue;
            var refusal = catchThrowable(() -> c.retyped(name, type).run(ops));
            // As "attention lse: BF16[3, 2], expected F32[3, 2]".
            String expected = "(\\w+ )?%s: %s\\[.*], expected .*(%s).*";
            String types = String.join("|", right.stream().map(DType::name).toList());
            boolean named =
                refusal instanceof IllegalArgumentException
                    && refusal.getMessage().matches(expected.formatted(name, type, types));
            if (!named) wrong.add(c + " " + name + " of " + type + ": " + refusal);
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(arguments).isEqualTo(OpCases.ARGUMENTS);
  }
}
