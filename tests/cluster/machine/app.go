// The application of the tests' pods: answers with the pod's name, slower or not ready when it is told so by its environment.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	delay, _ := time.ParseDuration(os.Getenv("DELAY"))
	began := time.Now()
	warm, _ := time.ParseDuration(os.Getenv("WARM"))
	http.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) {
		if time.Since(began) < warm {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/", func(answer http.ResponseWriter, asked *http.Request) {
		time.Sleep(delay)
		fmt.Fprintf(answer, "{\"pod\": %q, \"path\": %q}\n", os.Getenv("POD"), asked.URL.Path)
	})
	server := &http.Server{Addr: ":" + port, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan struct{})
	go func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
		<-signals
		fmt.Println("ending")
		server.Shutdown(context.Background())
		close(ended)
	}()
	fmt.Println("serving on", port)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Println(err)
		os.Exit(1)
	}
	<-ended
}
