/* Replays a SavedModel's warm-up requests through TensorFlow's C API.
 *
 *     replay SAVED_MODEL REQUESTS
 *
 * REQUESTS is a TFRecord file of PredictionLog, as a server reads it. Each is
 * run by TF_SessionRun, and prints a line per output:
 *
 *     RECORD SIGNATURE OUTPUT DIM,DIM,... VALUE VALUE ...
 *
 * or, where TensorFlow refuses it, RECORD SIGNATURE error MESSAGE. The exit
 * status is 1 if any was refused, 2 if something cannot be read.
 *
 * The few messages of Protocol Buffers that it needs are read by hand: a field
 * is a key (number * 8 + wire type) and a number or a length and its bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

#define MOST 8 /* inputs or outputs of a signature, dimensions of a tensor */

typedef struct {
  const uint8_t *data;
  size_t size;
} Bytes;

typedef struct {
  uint32_t number;
  uint64_t value; /* of a number */
  Bytes bytes;    /* of anything with a length */
} Field;

typedef struct {
  int count;
  TF_Output ends[MOST];
  TF_Tensor *tensors[MOST];
  Bytes names[MOST];
} Feeds;

static void fail(const char *what, const char *detail) {
  fprintf(stderr, "replay: %s: %s\n", what, detail);
  exit(2);
}

static uint64_t varint(Bytes *rest) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && rest->size; shift += 7) {
    uint8_t byte = *rest->data++;
    rest->size--;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  fail("damaged message", "a number does not end");
  return 0;
}

/* Takes the next field off a message; 0 at its end. */
static int next(Bytes *rest, Field *field) {
  if (!rest->size) return 0;
  uint64_t key = varint(rest);
  memset(field, 0, sizeof *field);
  field->number = key >> 3;
  switch (key & 7) {
    case 0:
      field->value = varint(rest);
      return 1;
    case 1: field->bytes.size = 8; break;
    case 2: field->bytes.size = varint(rest); break;
    case 5: field->bytes.size = 4; break;
    default: fail("damaged message", "unknown type of field");
  }
  if (field->bytes.size > rest->size) fail("damaged message", "too short");
  field->bytes.data = rest->data;
  rest->data += field->bytes.size;
  rest->size -= field->bytes.size;
  return 1;
}

/* The last field of a number in a message, as Protocol Buffers have it. */
static Field find(Bytes message, uint32_t number) {
  Field field, found = {0};
  while (next(&message, &field))
    if (field.number == number) found = field;
  return found;
}

static int same(Bytes a, Bytes b) {
  return a.size == b.size && !memcmp(a.data, b.data, a.size);
}

/* The value of a key in field `number` of a message, a map. */
static Bytes lookup(Bytes message, uint32_t number, Bytes key) {
  Field field;
  while (next(&message, &field))
    if (field.number == number && same(find(field.bytes, 1).bytes, key))
      return find(field.bytes, 2).bytes;
  fail("no such name in the SavedModel", strndup((char *)key.data, key.size));
  return message;
}

/* TensorInfo, whose field 1 is "operation:index", as an end in the graph. */
static TF_Output end_of(TF_Graph *graph, Bytes info) {
  Bytes bytes = find(info, 1).bytes;
  char *name = strndup((const char *)bytes.data, bytes.size);
  char *colon = strrchr(name, ':');
  if (!colon) fail("not a tensor's name", name);
  *colon = 0;
  TF_Output end = {TF_GraphOperationByName(graph, name), atoi(colon + 1)};
  if (!end.oper) fail("no such operation in the graph", name);
  free(name);
  return end;
}

/* TensorProto: dtype 1, shape 2, tensor_content 4, string_val 8. */
static TF_Tensor *tensor_of(Bytes proto) {
  TF_DataType type = (TF_DataType)find(proto, 1).value;
  Bytes shape = find(proto, 2).bytes, content = find(proto, 4).bytes;
  int64_t dims[MOST];
  int rank = 0;
  Field dim;
  while (next(&shape, &dim) && rank < MOST)
    if (dim.number == 2) dims[rank++] = (int64_t)find(dim.bytes, 1).value;
  if (type == TF_STRING) {
    if (rank) fail("tensor", "only a single string is read");
    Bytes text = find(proto, 8).bytes;
    TF_Tensor *tensor = TF_AllocateTensor(type, NULL, 0, sizeof(TF_TString));
    TF_TString *string = TF_TensorData(tensor);
    TF_StringInit(string);
    TF_StringCopy(string, (const char *)text.data, text.size);
    return tensor;
  }
  if (!content.size) fail("tensor", "its values are not in tensor_content");
  TF_Tensor *tensor = TF_AllocateTensor(type, dims, rank, content.size);
  memcpy(TF_TensorData(tensor), content.data, content.size);
  return tensor;
}

static void print(int record, Bytes signature, Bytes name, TF_Tensor *tensor) {
  printf("%d %.*s %.*s ", record, (int)signature.size, signature.data,
         (int)name.size, name.data);
  int rank = TF_NumDims(tensor);
  for (int i = 0; i < rank; i++)
    printf("%s%lld", i ? "," : "", (long long)TF_Dim(tensor, i));
  const float *values = TF_TensorData(tensor);
  const int32_t *whole = TF_TensorData(tensor);
  for (int64_t i = 0; i < TF_TensorElementCount(tensor); i++)
    if (TF_TensorType(tensor) == TF_FLOAT)
      printf(" %.9g", values[i]);
    else
      printf(" %d", whole[i]);
  printf("\n");
}

/* Runs one PredictRequest: model_spec 1, inputs 2. Returns 1 if refused. */
static int run(TF_Session *session, TF_Graph *graph, Bytes meta, int record,
               Bytes request) {
  Bytes name = find(find(request, 1).bytes, 3).bytes;
  Bytes signature = lookup(meta, 5, name); /* inputs 1, outputs 2 */
  Feeds in = {0}, out = {0};
  Field field;
  Bytes rest = request;
  while (next(&rest, &field) && in.count < MOST) {
    if (field.number != 2) continue;
    Bytes key = find(field.bytes, 1).bytes;
    in.ends[in.count] = end_of(graph, lookup(signature, 1, key));
    in.tensors[in.count++] = tensor_of(find(field.bytes, 2).bytes);
  }
  rest = signature;
  while (next(&rest, &field) && out.count < MOST) {
    if (field.number != 2) continue;
    out.names[out.count] = find(field.bytes, 1).bytes;
    out.ends[out.count++] = end_of(graph, find(field.bytes, 2).bytes);
  }
  TF_Status *status = TF_NewStatus();
  TF_SessionRun(session, NULL, in.ends, in.tensors, in.count, out.ends,
                out.tensors, out.count, NULL, 0, NULL, status);
  int refused = TF_GetCode(status) != TF_OK;
  if (refused) {
    char *message = strdup(TF_Message(status));
    for (char *c = message; *c; c++) *c = *c == '\n' ? ' ' : *c;
    printf("%d %.*s error %s\n", record, (int)name.size, name.data, message);
    free(message);
  }
  for (int i = 0; i < in.count; i++) TF_DeleteTensor(in.tensors[i]);
  for (int i = 0; i < out.count && !refused; i++) {
    print(record, name, out.names[i], out.tensors[i]);
    TF_DeleteTensor(out.tensors[i]);
  }
  TF_DeleteStatus(status);
  return refused;
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage", "replay SAVED_MODEL REQUESTS");
  TF_Status *status = TF_NewStatus();
  TF_Graph *graph = TF_NewGraph();
  TF_Buffer *meta = TF_NewBuffer();
  TF_SessionOptions *options = TF_NewSessionOptions();
  const char *tags[] = {"serve"};
  TF_Session *session = TF_LoadSessionFromSavedModel(
      options, NULL, argv[1], tags, 1, graph, meta, status);
  if (TF_GetCode(status) != TF_OK) fail(argv[1], TF_Message(status));
  FILE *file = fopen(argv[2], "rb");
  if (!file) fail(argv[2], "cannot be opened");
  Bytes whole = {meta->data, meta->length};
  int refused = 0;
  uint64_t head[2]; /* length; 4 bytes of checksum */
  for (int record = 0; fread(head, 1, 12, file) == 12; record++) {
    Bytes log = {NULL, head[0]};
    uint8_t *data = malloc(log.size + 4); /* and 4 of another checksum */
    if (!data || fread(data, 1, log.size + 4, file) != log.size + 4)
      fail(argv[2], "ends inside a record");
    log.data = data;
    /* PredictionLog: predict_log 6; PredictLog: request 1. */
    Bytes request = find(find(log, 6).bytes, 1).bytes;
    refused |= run(session, graph, whole, record, request);
    free(data);
  }
  fclose(file);
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteSessionOptions(options);
  TF_DeleteBuffer(meta);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return refused;
}
