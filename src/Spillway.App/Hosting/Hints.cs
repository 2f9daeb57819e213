namespace Spillway.App.Hosting;

/// <summary>What a newcomer may try next.</summary>
internal static class Hints
{
    public static string Text(string address)
    {
        var server = address == "http://127.0.0.1:8000" ? "" : $" --server {address}";
        const string headers = "-H 'Inference-Header-Content-Length: 0' -H 'Accept: application/json'";
        return $"""

            Read a line of text from a picture:
              curl -s --data-binary @samples/ocr/invoice.png {headers} {address}/v2/models/line-ocr/infer
              ./spillway infer line-ocr samples/ocr/*.png{server}
            Where did the time go, and why?
              ./spillway explain last{server}
            Flood it with far more than a laptop can do, and watch it shed:
              ./spillway load --model line-ocr --raw samples/ocr/invoice.png --rate 500 --duration 15s --deadline 1000{server}
              curl -s {address}/metrics | grep -E 'spillway_(drops|queue|batch_cuts)'
            Stop with Ctrl-C: it drains first.
            """;
    }
}
