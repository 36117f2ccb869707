package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.general.Given;
import dev.seekr.method.HeadScores;
import dev.seekr.method.Importance;
import dev.seekr.model.Continuations;
import dev.seekr.model.Rope;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A record with arrays is one of two kinds. A value copies them on their way in and out and is
 * compared by what is in them. One that carries a result to whoever asked for it gives its arrays
 * away, and nobody compares it.
 */
class RecordsTest {
  private static final Path CLASSES = Path.of("target/classes");

  /** What carries a result, or parts of one class to another of its package. */
  private static final Set<String> CARRIERS =
      Set.of(
          "bench.GenerateBench$Result",
          "bench.StepBench$Result",
          "cli.Outcomes$Json",
          "convert.Merged$Change",
          "convert.TorchGlobals$View",
          "data.ReplayBuffer$Entry",
          "method.Distillation$Taught",
          "method.HeadBudget$Selection",
          "method.HeadImportance$Change",
          "method.HeadImportance$Scores",
          "method.HeadImportance$Sensitivity",
          "method.Teacher",
          "model.AttentionTap",
          "model.Branches$Part",
          "model.Branches$Tree",
          "model.Graft",
          "model.OutputLoss",
          "model.OutputLoss$Result",
          "model.Pass$Tapped",
          "model.PromptChoice$ByTask",
          "model.Targets",
          "ops.reference.ReferenceAttention$Packed",
          "ops.reference.ReferenceAttention$Row",
          "page.HeatMap",
          "page.Histogram",
          "safetensors.SafetensorsHeader$Entry",
          "safetensors.SafetensorsWriter$Part",
          "verify.MethodPlan$Micro",
          "verify.Trace");

  /** A value of each kind, by what it is made of. */
  private record Example(Class<? extends Record> type, Object... components) {
    @Override
    public String toString() {
      return type.getSimpleName();
    }
  }

  static Stream<Example> values() {
    double[][] s = {{1, 2}, {3, 4}}, f = {{5, 6}, {7, 8}}, i = {{0, 1}, {2, 3}};
    boolean[][] mask = {{true, false}, {false, true}};
    return Stream.of(
        new Example(Sample.class, new int[] {5, 6, 7}, 1),
        new Example(SampledQueries.class, new int[] {0, 3}, new int[] {2, 1}),
        new Example(
            Tensor.class,
            DType.F32,
            new long[] {2, 3},
            MemorySegment.ofArray(new float[6]),
            Place.HOST),
        new Example(Given.class, new double[] {-1, -2}, new boolean[] {true, false}, "text"),
        new Example(Continuations.Question.class, new int[] {1, 2}, List.of(new int[] {3, 4})),
        new Example(Importance.class, s, f, i),
        new Example(HeadScores.class, s, f, i, mask),
        new Example(Rope.class, new float[] {1, 0.5f}, 1f));
  }

  @ParameterizedTest
  @MethodSource("values")
  void aValueKeepsItsArraysToItself(Example example) throws ReflectiveOperationException {
    Object[] given = copies(example.components);
    Record value = make(example.type, given), same = make(example.type, copies(given));
    assertThat(value).isEqualTo(same).hasSameHashCodeAs(same);
    for (Object component : given) change(component);
    assertThat(value).as("after a change of what it was made of").isEqualTo(same);
    for (RecordComponent component : example.type.getRecordComponents())
      change(component.getAccessor().invoke(value));
    assertThat(value).as("after a change of what it gave").isEqualTo(same);
  }

  @ParameterizedTest
  @MethodSource("values")
  void aValueIsWhatIsInItsArrays(Example example) throws ReflectiveOperationException {
    Record value = make(example.type, copies(example.components));
    for (int c = 0; c < example.components.length; c++) {
      Object[] other = copies(example.components);
      if (example.type == Tensor.class && other[c] instanceof long[] shape) {
        shape[0] = 3; // of as many elements
        shape[1] = 2;
      } else if (!change(other[c])) continue;
      assertThat(make(example.type, other)).as("component " + c).isNotEqualTo(value);
    }
  }

  @Test
  void everyRecordWithArraysIsOfOneKind() throws Exception {
    var found = new TreeSet<String>();
    try (var files = Files.walk(CLASSES.resolve("dev/seekr"))) {
      for (Path file :
          (Iterable<Path>) files.filter(f -> f.toString().endsWith(".class"))::iterator) {
        Class<?> type = type(file);
        if (type.isRecord()
            && Arrays.stream(type.getRecordComponents())
                .anyMatch(c -> holdsArrays(c.getGenericType())))
          found.add(type.getName().substring("dev.seekr.".length()));
      }
    }
    var known = new TreeSet<>(CARRIERS);
    values().forEach(e -> known.add(e.type.getName().substring("dev.seekr.".length())));
    assertThat(found).isEqualTo(known);
  }

  private static Class<?> type(Path file) throws IOException, ClassNotFoundException {
    String name = CLASSES.relativize(file).toString().replace('/', '.');
    return Class.forName(
        name.substring(0, name.length() - ".class".length()),
        false,
        RecordsTest.class.getClassLoader());
  }

  /**
   * An array of numbers or truths, or a list of such; tensors and lists themselves are no arrays.
   */
  private static boolean holdsArrays(Type type) {
    if (type instanceof ParameterizedType p)
      return Stream.of(p.getActualTypeArguments()).anyMatch(RecordsTest::holdsArrays);
    return type instanceof Class<?> c && c.isArray();
  }

  private static Record make(Class<? extends Record> type, Object[] components)
      throws ReflectiveOperationException {
    var types =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    return type.getConstructor(types).newInstance(components);
  }

  private static Object[] copies(Object[] components) {
    return Arrays.stream(components).map(RecordsTest::copy).toArray();
  }

  /** Arrays anew, however deep; all else as it is. */
  private static Object copy(Object component) {
    if (component instanceof List<?> list)
      return new ArrayList<>(list.stream().map(RecordsTest::copy).toList());
    if (component == null || !component.getClass().isArray()) return component;
    int n = Array.getLength(component);
    Object copy = Array.newInstance(component.getClass().getComponentType(), n);
    for (int i = 0; i < n; i++) Array.set(copy, i, copy(Array.get(component, i)));
    return copy;
  }

  /** Changes the last element of an array, however deep it is; false where there is none. */
  private static boolean change(Object component) {
    if (component instanceof List<?> list) return change(list.getLast());
    if (component == null || !component.getClass().isArray()) return false;
    int last = Array.getLength(component) - 1;
    Object element = Array.get(component, last);
    if (change(element)) return true;
    Array.set(
        component,
        last,
        switch (element) {
          case Integer n -> n + 1;
          case Long n -> n + 1;
          case Float x -> x + 1;
          case Double x -> x + 1;
          case Boolean b -> !b;
          default -> throw new IllegalStateException("an array of " + element.getClass());
        });
    return true;
  }
}
