package dev.seekr.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StateWriterTest {
  private final StateWriter to = new StateWriter();

  @Test
  void sectionsKeepNamesApart() {
    to.put("a", 1);
    var inner = to.section("s");
    inner.put("a", 2);
    inner.section("t").put("a", List.of("x"));
    assertThat(to.values()).hasToString("{\"a\":1,\"s\":{\"a\":2,\"t\":{\"a\":[\"x\"]}}}");
  }

  /** What is said twice would be lost once. */
  @Test
  void nothingIsSaidTwice() {
    to.put("a", 1);
    var section = to.section("s");
    section.put("a", 2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> to.put("a", 1))
        .withMessage("a is saved twice");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> to.put("s", 1))
        .withMessage("s is saved twice");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> to.section("s"))
        .withMessage("s is saved twice");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> to.section("a"))
        .withMessage("a is saved twice");
    Tensor tensor = Tensor.of(new float[] {1}, 1);
    section.section("b").tensor("c", tensor);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> section.tensor("b.c", tensor))
        .withMessage("b.c is saved twice");
    assertThat(to.values()).hasToString("{\"a\":1,\"s\":{\"a\":2,\"b\":{}}}");
  }

  @Test
  void numbersAreFinite() {
    Object[] bad = {Double.NaN, Double.POSITIVE_INFINITY, Float.NaN, Float.NEGATIVE_INFINITY};
    for (Object value : bad)
      assertThatIllegalArgumentException()
          .isThrownBy(() -> to.put("x", value))
          .withMessageMatching("x is (NaN|-?Infinity)");
    assertThat(to.values()).isEmpty();
  }

  @Test
  void tensorsLieInSections() {
    Tensor a = Tensor.of(new float[] {1, 2}, 2), b = Tensor.of(new int[] {3}, 1);
    var method = to.section("method");
    method.tensor("x", a);
    method.section("in").section("deep").tensor("x", b);
    to.section("weights").tensor("flat", b);
    assertThat(to.tensors().keySet()).containsExactly("method", "weights");
    assertThat(to.tensors().get("method")).isEqualTo(Map.of("x", a, "in.deep.x", b));
    assertThat(to.bytes()).isEqualTo(8 + 4 + 4);
    assertThatIllegalStateException()
        .isThrownBy(() -> to.tensor("x", a))
        .withMessage("tensors lie in sections");
  }

  /** What is copied may change afterwards. */
  @Test
  void copies() {
    Tensor a = Tensor.of(new float[] {1, 2}, 2);
    to.section("s").tensor("a", a);
    try (var memory = new Memory("test")) {
      to.copied(memory);
      a.set(0, 9);
      Tensor copy = to.tensors().get("s").get("a");
      assertThat(copy.toDoubles()).containsExactly(1, 2);
      assertThat(copy.dtype()).isEqualTo(DType.F32);
      assertThat(memory.bytes()).isEqualTo(8);
      assertThat(to.bytes()).isEqualTo(8);
    }
  }

  @Test
  void constantSections() {
    to.section("a").section("in").seldomChanges();
    to.section("b");
    assertThat(to.constant("a")).isTrue();
    assertThat(to.constant("b")).isFalse();
    assertThatIllegalStateException().isThrownBy(to::seldomChanges);
  }

  @Test
  void filesInTheirOrderEachOnce() {
    to.section("s").file(Path.of("b"));
    to.file(Path.of("a"));
    to.file(Path.of("b"));
    assertThat(to.files()).containsExactly(Path.of("b"), Path.of("a"));
  }
}
