/* Asks for the time of day: not accepted, for the same evidence must give the same findings tomorrow. */
import "time"

rule clock
{
  condition:
    time.now() > 0
}
