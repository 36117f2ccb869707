package dev.seekr.convert;

import dev.seekr.tensor.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a checkpoint of PyTorch may be made of, and the names by which its pickle asks for it. */
final class TorchGlobals {
  private TorchGlobals() {}

  /** A text, number or the like that is no part of a tensor; only its kind is of use. */
  enum Plain {
    NONE
  }

  /** A dictionary, ordered or not: PyTorch writes both alike. */
  static final class Dict {
    final Map<Object, Object> items = new LinkedHashMap<>();
  }

  static final class Items {
    final List<Object> items = new ArrayList<>();
  }

  static final class Tuple {
    final List<Object> items;

    Tuple(List<Object> items) {
      this.items = items;
    }
  }

  /** Functions and classes that a pickle may ask for, each for what is done with it. */
  enum Callable {
    TENSOR,
    PARAMETER,
    DICTIONARY
  }

  /**
   * An element type.
   *
   * @param dtype null where Seekr has none of the kind
   * @param bytes an element takes
   */
  record Type(String name, DType dtype, int bytes) {}

  /** Type objects such as torch.float32, which stand beside tensors and are of no use. */
  record TypeObject(String name) {}

  /** Elements in data/{@code key} of the archive. */
  record Storage(Type type, String key, long elements) {}

  /**
   * A tensor: some elements of a storage, within which all of them lie. Element i, j, … is number
   * {@code offset + i stride[0] + j stride[1] + …} of the storage.
   */
  record View(Storage storage, long offset, long[] shape, long[] stride) {
    /** Whether its elements follow one another in the storage. */
    boolean contiguous() {
      long next = 1;
      for (int d = shape.length - 1; d >= 0; d--) {
        if (shape[d] != 1 && stride[d] != next) return false;
        next *= shape[d];
      }
      return true;
    }

    /** Elements of the storage from the first to the last one of the tensor; it is not empty. */
    long span() {
      long last = 0;
      for (int d = 0; d < shape.length; d++) last += (shape[d] - 1) * stride[d];
      return last + 1;
    }
  }

  private static final Map<String, Object> GLOBALS = new LinkedHashMap<>();

  static {
    GLOBALS.put("torch._utils._rebuild_tensor_v2", Callable.TENSOR);
    GLOBALS.put("torch._utils._rebuild_parameter", Callable.PARAMETER);
    GLOBALS.put("collections.OrderedDict", Callable.DICTIONARY);
    storage("torch.DoubleStorage", DType.F64, 8);
    storage("torch.FloatStorage", DType.F32, 4);
    storage("torch.HalfStorage", DType.F16, 2);
    storage("torch.BFloat16Storage", DType.BF16, 2);
    storage("torch.LongStorage", DType.I64, 8);
    storage("torch.IntStorage", DType.I32, 4);
    storage("torch.ShortStorage", null, 2);
    storage("torch.CharStorage", null, 1);
    storage("torch.ByteStorage", null, 1);
    storage("torch.BoolStorage", null, 1);
    storage("torch.storage.UntypedStorage", null, 1);
    for (String name :
        List.of("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8"))
      GLOBALS.put("torch." + name, new TypeObject(name));
    for (String name : List.of("uint8", "bool")) GLOBALS.put("torch." + name, new TypeObject(name));
  }

  private static void storage(String name, DType dtype, int bytes) {
    GLOBALS.put(name, new Type(name, dtype, bytes));
  }

  /** What a pickle gets for a name; null: nothing, and it is to be refused. */
  static Object global(String name) {
    return GLOBALS.get(name);
  }

  /** What an object is, in words. */
  static String kind(Object value) {
    return switch (value) {
      case View _ -> "a tensor";
      case Dict _ -> "a dictionary";
      case Items _ -> "a list";
      case Tuple _ -> "a tuple";
      case String _ -> "a text";
      case Boolean _ -> "true or false";
      case Number _ -> "a number";
      case Plain _ -> "None";
      case Storage _ -> "a storage";
      default -> "a class or function";
    };
  }
}
