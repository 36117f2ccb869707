package dev.seekr.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.config.Reduction;
import dev.seekr.disk.Fields;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a case of a folder expects under one reduction, by name: numbers and choices of
 * expected.json ({@code task1.step2.norm}, {@code task1.heads}) and tensors of expected.safetensors
 * ({@code task1.fisher.model.norm.weight}). Whatever has been compared is struck off; what is left
 * in the end was not computed here, and is a miss. Errors are in the folder's tolerances: in double
 * precision the bound is 1, in float32 what the folder says that torch's own run needs of them,
 * where that is more. Look-alikes are 100 or more away.
 */
final class Expectation implements AutoCloseable {
  /**
   * What some quantities need in float32, in what torch's run needs: in another order of summation
   * they come out elsewhere, since one sample's gradient hangs on the last bits of the weights. In
   * float64 throughout, but for half a last bit of float32 added to each step's gradients at
   * random, the worst norm of seqft is 0.1 to 2.4 tolerances off in twelve draws, and Fisher
   * information of ewc 0.2 to 25. The kernels and PyTorch in another order than the folder's lie in
   * these spreads: AVX-512 0.4 and 5.8, CUDA 15 (Fisher information), AVX2 1.9 and 23, scalar 2.3
   * and 26, PyTorch 1.2 and 14, where the folder has 0.5 and 5.4. Attention by the scalar kernels
   * needs 1.6 times what the folder has.
   */
  private static final double NORM = 3, FISHER = 8, ATTENTION = 2;

  private final String at, prefix;
  private final Fields json;
  private final double needs;
  private final boolean exact;
  private final Safetensors file;
  private final Checks checks;
  private final Map<String, JsonNode> values = new LinkedHashMap<>();
  private final Set<String> tensors = new LinkedHashSet<>();

  Expectation(Path folder, Reduction reduction, DType computed, Checks checks) {
    prefix = reduction + ".";
    at = folder.getFileName() + "." + prefix;
    json = Fields.read(folder.resolve("expected.json"));
    file = Safetensors.open(folder.resolve("expected.safetensors"));
    this.checks = checks;
    Fields own = json.section(reduction.name());
    needs = Math.max(1, own.number("float32_needs"));
    exact = computed == DType.F64;
    for (var field : own.json().properties())
      if (!Set.of("float32_needs", "steps").contains(field.getKey()))
        values.put(field.getKey(), field.getValue());
    for (Fields step : own.sections("steps")) flatten(step);
    for (String name : file.names())
      if (name.startsWith(prefix)) tensors.add(name.substring(prefix.length()));
  }

  private void flatten(Fields step) {
    String name =
        step(step.whole("task", 0, Integer.MAX_VALUE), step.whole("step", 0, Integer.MAX_VALUE));
    for (var field : step.json().properties()) {
      JsonNode value = field.getValue();
      switch (field.getKey()) {
        case "task", "step" -> {}
        case "terms" -> put(name, value);
        case "micro" -> {
          for (int m = 0; m < value.size(); m++) put(name + ".micro" + m, value.get(m));
        }
        default -> values.put(name + "." + field.getKey(), value);
      }
    }
  }

  private void put(String name, JsonNode terms) {
    terms.properties().forEach(term -> values.put(name + "." + term.getKey(), term.getValue()));
  }

  static String step(int k, int i) {
    return "task%d.step%d".formatted(k, i);
  }

  private double bound(String name) {
    if (exact) return 1;
    if (name.endsWith(".norm")) return NORM * needs;
    if (name.endsWith(".attention")) return ATTENTION * needs;
    return name.contains(".fisher.") ? FISHER * needs : needs;
  }

  /** Whether a number or choice is expected and has not been compared. */
  boolean holds(String name) {
    return values.containsKey(name);
  }

  /** A loss or norm, which must be expected. */
  void scalar(String name, double actual) {
    JsonNode value = values.remove(name);
    if (value == null || !value.isNumber()) {
      checks.add(at + name + " is not expected", Double.NaN, 1);
      return;
    }
    var t = json.section("tolerance").section("scalar");
    double expected = value.doubleValue();
    double allowed = t.number("absolute") + t.number("relative") * Math.abs(expected);
    checks.add(at + name, Math.abs(actual - expected) / allowed, bound(name));
  }

  /** Whole numbers, where any are expected; lists of lists one after the other. None may differ. */
  void choice(String name, int... actual) {
    JsonNode value = values.remove(name);
    if (value == null) return;
    var expected = new ArrayList<Integer>();
    leaves(value, expected);
    checks.same(at + name, actual, expected.stream().mapToInt(e -> e).toArray());
  }

  private static void leaves(JsonNode node, List<Integer> into) {
    if (!node.isArray()) into.add(node.intValue());
    else node.forEach(element -> leaves(element, into));
  }

  /** Elements of a tensor, where one is expected. */
  void tensor(String name, double[] actual) {
    tensor(name, name, actual);
  }

  /** The same of what is to equal a tensor of another name. */
  void tensor(String name, String of, double[] actual) {
    if (!file.has(prefix + of)) return;
    tensors.remove(of);
    double allowed = json.section("tolerance").section("tensor").number("of_largest");
    checks.elements(at + name, actual, values(of), allowed, bound(name));
  }

  private double[] values(String name) {
    try (var memory = new Memory("expected")) {
      Tensor t = memory.allocate("expected", DType.F64, file.shape(prefix + name));
      file.read(prefix + name, t);
      return t.toDoubles();
    }
  }

  /** All that has not been compared is a miss. */
  void nothingIsLeft() {
    values.keySet().forEach(name -> checks.add(at + name + " is not compared", Double.NaN, 1));
    tensors.forEach(name -> checks.add(at + name + " is not compared", Double.NaN, 1));
  }

  @Override
  public void close() {
    file.close();
  }
}
